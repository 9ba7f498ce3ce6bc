using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Matrix.Hosting;

/// <summary>The request line's target, untouched: the server's own path is decoded, all but %2F, and cannot be encoded back.</summary>
public static class RequestTarget
{
    /// <summary>Path and query as they were sent, also from the absolute form (RFC 9112, 3.2.2); null for any other form, such as <c>*</c>.</summary>
    public static string? PathAndQuery(HttpContext context)
    {
        var target = context.Features.Get<IHttpRequestFeature>()?.RawTarget;
        if (string.IsNullOrEmpty(target)) return null;
        if (target[0] == '/') return target;
        var authority = target.IndexOf("://", StringComparison.Ordinal);
        var slash = authority < 0 ? -1 : target.IndexOf('/', authority + 3);
        return slash < 0 ? null : target[slash..];
    }

    /// <summary>The path alone, as it was sent.</summary>
    public static string? Path(HttpContext context)
    {
        var target = PathAndQuery(context);
        var query = target?.IndexOf('?', StringComparison.Ordinal) ?? -1;
        return query < 0 ? target : target![..query];
    }
}
