using Matrix.Federation;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Storage.Caching;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Access;

/// <summary>
/// Is this server in a room: has it a joined user there? What is remembered is only that it is, until the log tells that a local user's membership changed.
/// </summary>
public sealed class RoomResidency : IDisposable
{
    readonly BoundedCache<long, bool> resident;
    readonly MembershipStore memberships;
    readonly ServerName server;
    readonly IDisposable subscription;
    int generation;

    public RoomResidency(MembershipStore memberships, ServerSigningKey own, LogFollower follower, Caches caches)
    {
        (this.memberships, server) = (memberships, own.ServerName);
        resident = caches.Create<long, bool>("room_residency", 1 << 20, (_, _) => 24);
        subscription = follower.Subscribe(Hear);
    }

    public async ValueTask<bool> IsIn(Room room, CancellationToken ct)
    {
        if (resident.TryGet(room.RoomNid, out _))
            return true;
        var before = Volatile.Read(ref generation);
        if (await memberships.FindJoinedOf(room.RoomNid, server, ct) is null)
            return false;
        resident.Set(room.RoomNid, true, ref generation, before);
        return true;
    }

    public void Dispose() => subscription.Dispose();

    void Hear(IReadOnlyList<LogEntry> entries)
    {
        foreach (var entry in entries)
        {
            if (entry is { RoomNid: { } roomNid, UserId: { } user } && entry.Kind is LogKind.Event or LogKind.Membership
                && UserId.TryParse(user, out var parsed) && parsed.Server == server)
            {
                Interlocked.Increment(ref generation);
                resident.Remove(roomNid);
            }
        }
    }
}
