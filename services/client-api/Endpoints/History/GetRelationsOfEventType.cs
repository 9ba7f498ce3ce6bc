using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.ClientApi.Endpoints.History;

/// <summary><c>GET /_matrix/client/v1/rooms/{roomId}/relations/{eventId}/{relType}/{eventType}</c></summary>
static class GetRelationsOfEventType
{
    public static void Map(IEndpointRouteBuilder app) =>
        app.MapGet("/_matrix/client/v1/rooms/{roomId}/relations/{eventId}/{relType}/{eventType}", Handle);

    static Task Handle(
        RoomId roomId, EventId eventId, string relType, string eventType, HttpContext context, Requester requester, RelationPage page, CancellationToken ct) =>
        page.Send(roomId, eventId, relType, eventType, context, requester, ct);
}
