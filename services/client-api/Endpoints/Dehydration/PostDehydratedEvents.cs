using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.ClientApi.Endpoints.Dehydration;

/// <summary>POST /_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device/{deviceId}/events: what clients of an earlier draft ask</summary>
static class PostDehydratedEvents
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device/{deviceId}/events", Handle);

    static Task Handle(DeviceId deviceId, Body<Request>? body, Requester requester, HttpContext context, DehydratedEvents events, CancellationToken ct) =>
        events.Send(deviceId, body?.Value.NextBatch, requester, context, ct);

    sealed record Request(string? NextBatch);
}
