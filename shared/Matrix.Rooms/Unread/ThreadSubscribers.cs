using Matrix.Replication;
using Matrix.Storage.Caching;
using Matrix.Storage.Sync;

namespace Matrix.Rooms.Unread;

/// <summary>Who is subscribed to a thread, kept until the log tells that somebody came or went. Asked only where somebody's rules want to know.</summary>
public sealed class ThreadSubscribers : IDisposable
{
    readonly BoundedCache<(long Room, string Thread), IReadOnlySet<string>> known;
    readonly ThreadSubscriptionStore store;
    readonly IDisposable subscription;
    readonly Lock gate = new();
    long changes;

    public ThreadSubscribers(ThreadSubscriptionStore store, LogFollower log, Caches caches)
    {
        this.store = store;
        known = caches.Create<(long Room, string Thread), IReadOnlySet<string>>(
            "thread_subscribers", 8 << 20, (key, users) => 100 + Caches.WeightOf(key.Thread) + 100L * users.Count);
        subscription = log.Subscribe(Apply);
    }

    /// <param name="thread">Its root.</param>
    public async ValueTask<IReadOnlySet<string>> Get(long room, string thread, CancellationToken ct)
    {
        if (known.TryGet((room, thread), out var users))
            return users;
        var before = Volatile.Read(ref changes);
        users = (await store.ListSubscribers(room, thread, ct)).ToHashSet(StringComparer.Ordinal);
        lock (gate)
        {
            if (changes == before)
                known.Set((room, thread), users);
        }
        return users;
    }

    public void Dispose() => subscription.Dispose();

    void Apply(IReadOnlyList<LogEntry> entries)
    {
        foreach (var entry in entries)
        {
            if (entry is not { Kind: LogKind.ThreadSubscription, RoomNid: { } room, Note: { } thread })
                continue;
            lock (gate)
            {
                known.Remove((room, thread));
                changes++;
            }
        }
    }
}
