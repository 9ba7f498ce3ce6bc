using Matrix.Protocol;
using Matrix.Rooms;

namespace Matrix.ClientApi.Endpoints.Directory;

/// <summary>GET /_matrix/client/v3/directory/room/{roomAlias}</summary>
static class GetAlias
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/directory/room/{roomAlias}", Handle);

    static async Task<Response> Handle(RoomAlias roomAlias, RoomAliases aliases, CancellationToken ct)
    {
        var room = await aliases.Get(roomAlias, ct);
        return new Response(room.RoomId, [roomAlias.Server]);
    }

    sealed record Response(RoomId RoomId, IReadOnlyList<ServerName> Servers);
}
