using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms.Joining;

namespace Matrix.FederationReader.Endpoints.Membership;

/// <summary>GET /_matrix/federation/v1/make_join/{roomId}/{userId}</summary>
static class GetMakeJoin
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/federation/v1/make_join/{roomId}/{userId}", Handle);

    static async Task<MembershipTemplate> Handle(RoomId roomId, UserId userId, string[]? ver, Origin origin, MembershipHandshakes handshakes, CancellationToken ct)
    {
        try
        {
            return await handshakes.Make(roomId, userId, "join", ver is { Length: > 0 } ? ver : ["1"], origin.Server, ct);
        }
        catch (IncompatibleRoomVersionException e)
        {
            throw Versions.Incompatible(e);
        }
    }
}
