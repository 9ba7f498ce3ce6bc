namespace Matrix.ClientApi.Endpoints.Misc;

/// <summary>GET /_matrix/client/unstable/org.matrix.msc4143/rtc/transports</summary>
static class GetUnstableRtcTransports
{
    public static void Map(IEndpointRouteBuilder app) =>
        app.MapGet("/_matrix/client/unstable/org.matrix.msc4143/rtc/transports", GetRtcTransports.Handle);
}
