namespace Matrix.Gateway.Routing;

/// <summary>
/// Which service answers which path: the only such table. The first match counts. What is not in it (the services' /health and /metrics, above
/// all) cannot be reached through the gateway.
/// </summary>
public static class RouteTable
{
    public const string ClientApi = "client-api";
    public const string FederationReader = "federation-reader";
    public const string MediaRepo = "media-repo";

    /// <summary>The services with routes.</summary>
    public static IReadOnlyList<string> Services { get; } = [ClientApi, FederationReader, MediaRepo];

    /// <summary>Those without: they may stand among the clusters, and nothing is routed to them.</summary>
    public static IReadOnlyList<string> Workers { get; } = ["federation-sender", "pusher"];

    public static IReadOnlyList<GatewayRoute> Routes { get; } =
    [
        Media("/_matrix/media/{**rest}") with { KeepsBodies = true },
        Media("/_matrix/client/v1/media/{**rest}") with { KeepsBodies = true },
        Media("/_matrix/client/unstable/org.matrix.msc3916/media/{**rest}") with { KeepsBodies = true },
        Media("/_matrix/federation/v1/media/{**rest}"),
        Media("/_matrix/federation/unstable/org.matrix.msc3916.v2/media/{**rest}"),
        Media("/_synapse/client/picture/{**rest}"),
        Media("/_synapse/admin/v1/media/{**rest}"),
        Media("/_synapse/admin/v1/quarantine_media/{**rest}"),
        Media("/_synapse/admin/v1/purge_media_cache"),
        Media("/_synapse/admin/v1/room/{roomId}/media/{**rest}"),
        Media("/_synapse/admin/v1/user/{userId}/media/{**rest}"),
        Media("/_synapse/admin/v1/users/{userId}/media"),

        Federation("/_matrix/federation/{**rest}"),
        Federation("/_matrix/key/{**rest}"),
        Federation("/.well-known/matrix/server"),

        Poll("/_matrix/client/v3/sync"),
        Poll("/_matrix/client/r0/sync"),
        Poll("/_matrix/client/v4/sync"),
        Poll("/_matrix/client/unstable/org.matrix.simplified_msc3575/sync"),
        Client("/_matrix/client/{**rest}"),
        Client("/.well-known/{**rest}"),
        Client("/_synapse/admin/{**rest}"),
        Client("/_synapse/client/{**rest}"),
        Client("/_matrix/static/{**rest}"),
        Client("/oauth2/{**rest}"),
        Client("/account/{**rest}"),
    ];

    /// <summary>The service that gets a request for this path, or null: the gateway answers 404 itself.</summary>
    public static string? ServiceFor(string path) => Routes.FirstOrDefault(route => route.Matches(path))?.Service;

    static GatewayRoute Client(string pattern) => new(pattern, ClientApi, Affinity.Token);

    static GatewayRoute Poll(string pattern) => Client(pattern) with { IsPoll = true };

    static GatewayRoute Federation(string pattern) => new(pattern, FederationReader, Affinity.RoomOrOrigin);

    static GatewayRoute Media(string pattern) => new(pattern, MediaRepo, Affinity.None) { TakesUploads = true };
}
