using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.ClientApi.Endpoints.Dehydration;

/// <summary>GET /_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device/{deviceId}/events</summary>
static class GetDehydratedEvents
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device/{deviceId}/events", Handle);

    static Task Handle(DeviceId deviceId, Requester requester, HttpContext context, DehydratedEvents events, CancellationToken ct) =>
        events.Send(deviceId, context.Request.Query["next_batch"], requester, context, ct);
}
