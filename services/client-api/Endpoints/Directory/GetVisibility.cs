using Matrix.ClientApi.Endpoints.Rooms;
using Matrix.Protocol;
using Matrix.Rooms;
using Matrix.Storage.Rooms;

namespace Matrix.ClientApi.Endpoints.Directory;

/// <summary>GET /_matrix/client/v3/directory/list/room/{roomId}</summary>
static class GetVisibility
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/directory/list/room/{roomId}", Handle);

    static async Task<Response> Handle(RoomId roomId, RoomFinder rooms, RoomSummaryStore summaries, CancellationToken ct)
    {
        var room = await rooms.Get(roomId, ct);
        return new Response(Visibility.Of(await summaries.Find(room.RoomNid, ct) is { Published: true }));
    }

    sealed record Response(string Visibility);
}
