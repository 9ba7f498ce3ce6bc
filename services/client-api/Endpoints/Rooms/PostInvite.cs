using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms;
using Matrix.Rooms.Membership;

namespace Matrix.ClientApi.Endpoints.Rooms;

/// <summary>POST /_matrix/client/v3/rooms/{roomId}/invite</summary>
static class PostInvite
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/rooms/{roomId}/invite", Handle);

    static async Task<Empty> Handle(RoomId roomId, Body<Request> body, Requester requester, RoomMembership rooms, InviteBlocks blocks, RateLimits limits,
        CancellationToken ct)
    {
        requester.MustNotBeGuest();
        requester.MustNotBeSuspended();
        if (body.Value.UserId is not { } target)
            throw body.Value.Medium is null ? MatrixException.MissingParam("user_id") : ThirdPartyRefused();
        await limits.Check("rc_invites.per_room", roomId.ToString(), ct);
        await limits.CheckInvite(requester, target, ct);
        await blocks.Check([target], ct);
        await rooms.Invite(roomId, requester.Asks(body.Value.Reason), target, isDirect: false, ct);
        return default;
    }

    /// <summary>An invite by mail address or telephone number needs an identity server to look it up.</summary>
    internal static MatrixException ThirdPartyRefused() =>
        new(403, "M_THREEPID_DENIED", "This server invites by user id only: it uses no identity server.");

    sealed record Request(UserId? UserId, string? Reason, string? Medium);
}
