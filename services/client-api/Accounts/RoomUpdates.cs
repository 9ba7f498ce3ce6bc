using Matrix.ClientApi.Sync.Visibility;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms;
using Matrix.Storage;
using Matrix.Storage.Rooms;

namespace Matrix.ClientApi.Accounts;

/// <summary>
/// Shows in a user's rooms what became of the account: the new name and picture, or that the user has left. The request that made the change
/// does it; one replica takes up what others left undone when they died.
/// </summary>
sealed partial class RoomUpdates(
    RoomUpdateStore due, AccountStore accounts, MembershipStore memberships, RoomFinder rooms, RoomMembership membership, Leases leases,
    LogWriter log, TimeProvider time, IHostApplicationLifetime lifetime, ILogger<RoomUpdates> logger) : BackgroundService
{
    const int AtOnce = 20;

    static readonly TimeSpan Pause = TimeSpan.FromSeconds(5), RequestTime = TimeSpan.FromMinutes(1), TakeoverAfter = TimeSpan.FromSeconds(10);

    /// <summary>Brings the user's rooms up to date. It goes on when the client hangs up, and to its end when the process is told to stop: half of the rooms would show the old name.</summary>
    public async Task Show(UserId userId, CancellationToken ct)
    {
        if (await due.Find(userId, ct) is { } update) await Show(update, lifetime.ApplicationStopped);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        leases.Hold("room-updates", TakeoverAfter, (_, ct) => TakeUpLeftOver(ct), stoppingToken);

    async Task TakeUpLeftOver(CancellationToken ct)
    {
        while (true)
        {
            foreach (var update in await due.ListLeftOver(RequestTime, AtOnce, ct))
            {
                TakenUp(update.UserId);
                await Show(update, ct);
            }

            await time.NextBeat(Pause, ct);
        }
    }

    async Task Show(RoomUpdateDue update, CancellationToken ct)
    {
        if (await accounts.Find(update.UserId, ct) is { DeactivatedAt: not null })
        {
            if (await accounts.ListErased([update.UserId.ToString()], ct) is [_])
                await log.Append(new UserErased(update.UserId.ToString()), ct);
            await LeaveAll(update.UserId, ct);
        }
        else
            await membership.UpdateProfile(update.UserId, ct);
        await due.Delete(update, ct);
    }

    async Task LeaveAll(UserId userId, CancellationToken ct)
    {
        var present = await memberships.ListOfUser(userId, ["join", "invite", "knock"], ct);
        foreach (var room in await rooms.List([.. present.Select(row => row.RoomNid)], ct))
        {
            try
            {
                await membership.Leave(room.RoomId, new MembershipRequest(userId), ct);
            }
            catch (RoomException e)
            {
                NotLeft(userId, room.RoomId, e.Message);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Taking up the change of {UserId} in the rooms that a process left undone")]
    partial void TakenUp(UserId userId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The deactivated {UserId} could not leave {RoomId}: {Reason}")]
    partial void NotLeft(UserId userId, RoomId roomId, string reason);
}
