using Matrix.ClientApi.Endpoints.Misc;
using Matrix.Hosting.Configuration;

namespace Matrix.ClientApi.Accounts;

/// <summary>What clients are told of where the server is (Client-Server API, Well-known URIs).</summary>
static class WellKnown
{
    /// <summary>Null when the operator did not say where clients reach the server.</summary>
    public static IReadOnlyDictionary<string, object>? Client(HomeserverOptions homeserver) => homeserver.PublicBaseurl is { } url
        ? new Dictionary<string, object> { ["m.homeserver"] = new Homeserver(url.ToString()) }
        : null;

    /// <summary>What .well-known says beside that: where MatrixRTC's calls go, for clients that look for it here (MSC4143).</summary>
    public static IReadOnlyDictionary<string, object>? Client(HomeserverOptions homeserver, TurnOptions calls) =>
        Client(homeserver) is { } known && calls.MatrixRtc.Transports is { Count: > 0 } transports
            ? new Dictionary<string, object>(known) { ["org.matrix.msc4143.rtc_foci"] = transports }
            : Client(homeserver);

    sealed record Homeserver(string BaseUrl);
}
