using Matrix.Hosting.Configuration;

namespace Matrix.ClientApi.Accounts;

/// <summary>What clients are told of where the server is (Client-Server API, Well-known URIs).</summary>
static class WellKnown
{
    /// <summary>Null when the operator did not say where clients reach the server.</summary>
    public static IReadOnlyDictionary<string, object>? Client(HomeserverOptions homeserver) => homeserver.PublicBaseurl is { } url
        ? new Dictionary<string, object> { ["m.homeserver"] = new Homeserver(url.ToString()) }
        : null;

    sealed record Homeserver(string BaseUrl);
}
