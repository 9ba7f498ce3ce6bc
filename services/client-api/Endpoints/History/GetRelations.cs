using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.ClientApi.Endpoints.History;

/// <summary><c>GET /_matrix/client/v1/rooms/{roomId}/relations/{eventId}</c></summary>
static class GetRelations
{
    public static void Map(IEndpointRouteBuilder app) =>
        app.MapGet("/_matrix/client/v1/rooms/{roomId}/relations/{eventId}", Handle);

    static Task Handle(
        RoomId roomId, EventId eventId, HttpContext context, Requester requester, RelationPage page, CancellationToken ct) =>
        page.Send(roomId, eventId, null, null, context, requester, ct);
}
