using Microsoft.AspNetCore.Http;

namespace Matrix.Http;

/// <summary>Where a request carries its access token.</summary>
public static class AccessToken
{
    /// <summary>From <c>Authorization: Bearer</c>, else from the query (deprecated, but still to be accepted).</summary>
    public static string? Find(HttpRequest request)
    {
        var header = request.Headers.Authorization.ToString();
        if (header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) && header.AsSpan(7).Trim() is { Length: > 0 } bearer)
            return bearer.ToString();
        return request.Query["access_token"].ToString() is { Length: > 0 } token ? token : null;
    }
}
