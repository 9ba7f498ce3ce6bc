using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.Misc;

/// <summary>GET /_matrix/client/v1/rtc/transports: what the operator configured (MSC4143).</summary>
static class GetRtcTransports
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v1/rtc/transports", Handle);

    internal static Response Handle(Requester _, TurnOptions options) => new(options.MatrixRtc.Transports);

    internal sealed record Response(IReadOnlyList<TurnOptions.RtcTransport> RtcTransports);
}
