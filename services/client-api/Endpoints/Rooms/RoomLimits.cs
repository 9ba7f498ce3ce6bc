using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.ClientApi.Endpoints.Rooms;

/// <summary>Which of the configured limits holds for what.</summary>
static class RoomLimits
{
    public static Task CheckMessage(this RateLimits limits, Requester requester, CancellationToken ct) =>
        limits.Check("rc_message", requester.UserId.ToString(), ct);

    /// <param name="isRemote">The server is not in the room yet: other servers are asked, and send the room's state.</param>
    public static Task CheckJoin(this RateLimits limits, Requester requester, bool isRemote, CancellationToken ct) =>
        limits.Check(isRemote ? "rc_joins.remote" : "rc_joins.local", requester.UserId.ToString(), ct);

    public static Task CheckKnock(this RateLimits limits, Requester requester, CancellationToken ct) =>
        limits.Check("rc_joins.local", requester.UserId.ToString(), ct);

    public static async Task CheckInvite(this RateLimits limits, Requester requester, UserId invited, CancellationToken ct)
    {
        await limits.Check("rc_invites.per_issuer", requester.UserId.ToString(), ct);
        await limits.Check("rc_invites.per_user", invited.ToString(), ct);
    }
}
