using Matrix.ClientApi.Sync;
using Matrix.ClientApi.Sync.Relations;
using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.ClientApi.Endpoints.History;

/// <summary><c>GET /_matrix/client/v3/rooms/{roomId}/event/{eventId}</c></summary>
static class GetEvent
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/rooms/{roomId}/event/{eventId}", Handle);

    static async Task Handle(
        RoomId roomId, EventId eventId, HttpContext context, Requester requester, EventReader events, Bundles bundles, TimeProvider time,
        CancellationToken ct)
    {
        var batch = new EventBatch();
        var (view, found) = await events.Get(roomId, eventId, requester, batch, ct);
        await bundles.Fill(batch, [found], view.UserId, _ => view.Sight, ct);
        await new EventAnswer(requester, batch, time).SendOnly(found, context, ct);
    }
}
