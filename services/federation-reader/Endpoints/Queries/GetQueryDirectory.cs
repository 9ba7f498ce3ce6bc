using Matrix.Federation;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms;
using Matrix.Storage.Rooms;

namespace Matrix.FederationReader.Endpoints.Queries;

/// <summary>GET /_matrix/federation/v1/query/directory</summary>
static class GetQueryDirectory
{
    const int MostServers = 50;

    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/federation/v1/query/directory", Handle);

    static async Task<Response> Handle(string? room_alias, Origin origin, RoomAliases aliases, RoomServers servers, ServerSigningKey own, CancellationToken ct)
    {
        if (room_alias is null)
            throw MatrixException.MissingParam("room_alias");
        if (!RoomAlias.TryParse(room_alias, out var alias))
            throw MatrixException.InvalidParam("room_alias is no alias.");
        var room = await aliases.Get(alias, ct);
        return new Response(room.RoomId, [own.ServerName, .. await servers.ListLargest(room.RoomNid, MostServers, ct)]);
    }

    sealed record Response(RoomId RoomId, IReadOnlyList<ServerName> Servers);
}
