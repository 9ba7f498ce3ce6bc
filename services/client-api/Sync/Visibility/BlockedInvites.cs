using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms.Membership;

namespace Matrix.ClientApi.Sync.Visibility;

/// <summary>Who is shown no invites (Client-Server API, "Invite permission"), until the log tells that they changed their mind.</summary>
sealed class BlockedInvites(InviteBlocks blocks, Caches caches)
{
    readonly BoundedCache<string, bool> known = caches.Create<string, bool>("blocked_invites", 2 << 20, (user, _) => Caches.WeightOf(user) + 8);
    int generation;

    public void Changed(LogEntry entry)
    {
        if (entry is not { Kind: LogKind.AccountData, Key: { } type, UserId: { } user } || !InviteBlocks.Types.Contains(type))
            return;
        Interlocked.Increment(ref generation);
        known.Remove(user);
    }

    public async ValueTask<bool> Hides(string userId, CancellationToken ct)
    {
        if (known.TryGet(userId, out var isBlocking))
            return isBlocking;
        var before = Volatile.Read(ref generation);
        isBlocking = await blocks.IsBlocking(UserId.Parse(userId), ct);
        known.Set(userId, isBlocking, ref generation, before);
        return isBlocking;
    }
}
