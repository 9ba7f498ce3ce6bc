using System.Collections.Frozen;
using Matrix.Replication;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>
/// The newest "proper" activity of rooms (MSC4186, bump_stamp): a log position. The log brings every such event, so what is kept is never old; only
/// rooms in which none has come since the process began are read.
/// </summary>
sealed class RoomBumps(SlidingStore store, LogFollower follower, Caches caches) : IHostedService, IDisposable
{
    // Memberships and the like after the last message: further back than this the exact place matters to nobody.
    const int Look = 1000;

    static readonly FrozenSet<string> Types = new[]
    {
        "m.room.create", "m.room.message", "m.room.encrypted", "m.sticker", "m.call.invite", "m.poll.start", "org.matrix.msc3381.poll.start",
        "m.beacon_info", "org.matrix.msc3672.beacon_info",
    }.ToFrozenSet(StringComparer.Ordinal);

    readonly BoundedCache<long, long> stamps = caches.Create<long, long>("room_bumps", 4 << 20, (_, _) => 16);
    readonly Lock gate = new();
    IDisposable? subscription;

    public Task StartAsync(CancellationToken ct)
    {
        subscription = follower.Subscribe(Follow);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken ct)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose() => subscription?.Dispose();

    public async ValueTask<IReadOnlyDictionary<long, long>> Get(IReadOnlyCollection<long> rooms, CancellationToken ct)
    {
        var found = new Dictionary<long, long>();
        var missing = new List<long>();
        foreach (var room in rooms)
        {
            if (stamps.TryGet(room, out var stamp))
                found[room] = stamp;
            else
                missing.Add(room);
        }
        if (missing.Count == 0)
            return found;
        foreach (var bump in await store.ListBumps([.. missing], [.. Types], Look, ct))
            found[bump.RoomNid] = Raise(bump.RoomNid, bump.Position);
        return found;
    }

    void Follow(IReadOnlyList<LogEntry> entries)
    {
        foreach (var entry in entries)
        {
            if (entry is { Kind: LogKind.Event, RoomNid: { } room, Key: { } type } && Types.Contains(type))
                Raise(room, entry.Position.Value);
        }
    }

    long Raise(long room, long stamp)
    {
        lock (gate)
        {
            if (stamps.TryGet(room, out var known) && known >= stamp)
                return known;
            stamps.Set(room, stamp);
            return stamp;
        }
    }
}
