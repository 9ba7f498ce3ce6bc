using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms.Joining;

namespace Matrix.FederationReader.Endpoints.Membership;

/// <summary>GET /_matrix/federation/v1/make_leave/{roomId}/{userId}</summary>
static class GetMakeLeave
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/federation/v1/make_leave/{roomId}/{userId}", Handle);

    static Task<MembershipTemplate> Handle(RoomId roomId, UserId userId, Origin origin, MembershipHandshakes handshakes, CancellationToken ct) =>
        handshakes.Make(roomId, userId, "leave", null, origin.Server, ct);
}
