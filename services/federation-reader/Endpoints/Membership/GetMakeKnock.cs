using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms.Joining;

namespace Matrix.FederationReader.Endpoints.Membership;

/// <summary>GET /_matrix/federation/v1/make_knock/{roomId}/{userId}</summary>
static class GetMakeKnock
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/federation/v1/make_knock/{roomId}/{userId}", Handle);

    static async Task<MembershipTemplate> Handle(RoomId roomId, UserId userId, string[]? ver, Origin origin, MembershipHandshakes handshakes, CancellationToken ct)
    {
        try
        {
            return await handshakes.Make(roomId, userId, "knock", ver ?? [], origin.Server, ct);
        }
        catch (IncompatibleRoomVersionException e)
        {
            throw Versions.Incompatible(e);
        }
    }
}
