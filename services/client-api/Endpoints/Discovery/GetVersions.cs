namespace Matrix.ClientApi.Endpoints.Discovery;

/// <summary>GET /_matrix/client/versions</summary>
static class GetVersions
{
    // a version is listed so that clients take its paths; a feature only when all of it is served
    static readonly Response Served = new(["v1.1", "v1.2", "v1.3", "v1.4", "v1.5", "v1.6", "v1.7", "v1.8", "v1.9", "v1.10", "v1.11", "v1.12", "v1.13", "v1.14", "v1.15",
        "v1.16", "v1.17", "v1.18", "v1.19"], new()
    {
        ["org.matrix.e2e_cross_signing"] = true,
        ["org.matrix.msc2285.stable"] = true,
        ["org.matrix.msc3026.busy_presence"] = true,
        ["org.matrix.msc3440.stable"] = true,
        ["org.matrix.msc3771"] = true,
        ["org.matrix.msc3773"] = true,
        ["org.matrix.msc3881"] = true,
        ["org.matrix.msc3916.stable"] = true,
        ["org.matrix.msc3952_intentional_mentions"] = true,
        ["org.matrix.msc3981"] = true,
        ["org.matrix.msc4140"] = true,
        ["org.matrix.msc4143"] = true,
        ["org.matrix.msc4222"] = true,
        ["org.matrix.msc4306"] = true,
        ["org.matrix.msc4380"] = true,
        ["org.matrix.msc4380.stable"] = true,
        ["org.matrix.simplified_msc3575"] = true,
        ["uk.half-shot.msc2666.query_mutual_rooms"] = true,
        ["uk.half-shot.msc2666.query_mutual_rooms.stable"] = true,
        ["uk.tcpip.msc4133.stable"] = true,
        ["uk.timedout.msc4323"] = true,
    });

    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/versions", Handle);

    static Response Handle() => Served;

    sealed record Response(string[] Versions, Dictionary<string, bool> UnstableFeatures);
}
