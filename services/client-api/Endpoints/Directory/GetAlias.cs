using Matrix.Protocol;
using Matrix.Rooms.Joining;

namespace Matrix.ClientApi.Endpoints.Directory;

/// <summary>GET /_matrix/client/v3/directory/room/{roomAlias}</summary>
static class GetAlias
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/directory/room/{roomAlias}", Handle);

    static async Task<Response> Handle(RoomAlias roomAlias, RemoteAliases aliases, CancellationToken ct)
    {
        var room = await aliases.Get(roomAlias, ct);
        return new Response(room.RoomId, room.Servers);
    }

    sealed record Response(RoomId RoomId, IReadOnlyList<ServerName> Servers);
}
