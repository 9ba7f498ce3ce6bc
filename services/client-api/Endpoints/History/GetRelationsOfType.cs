using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.ClientApi.Endpoints.History;

/// <summary><c>GET /_matrix/client/v1/rooms/{roomId}/relations/{eventId}/{relType}</c></summary>
static class GetRelationsOfType
{
    public static void Map(IEndpointRouteBuilder app) =>
        app.MapGet("/_matrix/client/v1/rooms/{roomId}/relations/{eventId}/{relType}", Handle);

    static Task Handle(
        RoomId roomId, EventId eventId, string relType, HttpContext context, Requester requester, RelationPage page, CancellationToken ct) =>
        page.Send(roomId, eventId, relType, null, context, requester, ct);
}
