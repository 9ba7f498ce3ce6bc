namespace Matrix.ClientApi.Endpoints.Discovery;

/// <summary>GET /_matrix/client/versions</summary>
static class GetVersions
{
    // a version is listed so that clients take its paths; a feature only when all of it is served
    static readonly Response Served = new(["v1.1", "v1.2", "v1.3"], new()
    {
        ["org.matrix.e2e_cross_signing"] = true,
        ["org.matrix.msc3026.busy_presence"] = true,
        ["org.matrix.simplified_msc3575"] = true,
    });

    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/versions", Handle);

    static Response Handle() => Served;

    sealed record Response(string[] Versions, Dictionary<string, bool> UnstableFeatures);
}
