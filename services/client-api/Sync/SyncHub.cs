using System.Collections.Immutable;
using Matrix.ClientApi.Sync.Visibility;
using Matrix.Replication;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync;

/// <summary>The user's rooms as they are at a position.</summary>
sealed record UserRooms(ImmutableDictionary<long, UserMembership> Rooms, LogPosition Position);

/// <summary>
/// Follows the log for the users who sync here, and wakes those whom an entry concerns: by user, and by the rooms they are in. An entry costs
/// what it concerns; an idle user costs nothing. The rooms of a user are read from Postgres once and then kept by the log.
/// </summary>
sealed class SyncHub(LogFollower follower, SyncStore store, EventCache events, RoomCountsCache counts, RoomSights sights, TimeProvider time)
    : IHostedService, IDisposable
{
    static readonly TimeSpan Forget = TimeSpan.FromMinutes(10);

    readonly Lock gate = new();
    readonly Dictionary<string, SyncUser> users = new(StringComparer.Ordinal);
    readonly Dictionary<long, HashSet<SyncUser>> byRoom = [];
    LogPosition position;
    Task begun = Task.CompletedTask;
    IDisposable? subscription;
    ITimer? sweep;

    /// <summary>Everything up to here has been told to the users.</summary>
    public LogPosition Position
    {
        get
        {
            lock (gate)
                return position;
        }
    }

    public Task StartAsync(CancellationToken ct)
    {
        subscription = follower.Subscribe(Apply);
        begun = Begin();
        sweep = time.CreateTimer(_ => Sweep(), null, Forget, Forget / 10);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken ct)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        subscription?.Dispose();
        sweep?.Dispose();
    }

    /// <summary>Begins a request of a user. Give the user back with <see cref="Release"/>.</summary>
    public async Task<SyncUser> Acquire(string userId, CancellationToken ct)
    {
        SyncUser? user;
        Task loaded;
        lock (gate)
        {
            if (!users.TryGetValue(userId, out user))
                users.Add(userId, user = new SyncUser(userId));
            user.Uses++;
            if (user.Loaded is null || user.Loaded.IsFaulted || user.Loaded.IsCanceled)
                user.Loaded = Load(user);
            loaded = user.Loaded;
        }
        try
        {
            await loaded.WaitAsync(ct);
            return user;
        }
        catch
        {
            Release(user);
            throw;
        }
    }

    public void Release(SyncUser user)
    {
        lock (gate)
        {
            user.Uses--;
            user.LastUsed = time.GetUtcNow();
        }
    }

    /// <summary>The user's rooms as they are now.</summary>
    public async ValueTask<UserRooms> GetRooms(SyncUser user, CancellationToken ct)
    {
        while (true)
        {
            LogEntry[] unread;
            lock (gate)
            {
                if (user.Unread.Count == 0)
                    return new UserRooms(user.Rooms, position);
                unread = [.. user.Unread];
            }
            var changes = await Read(unread, ct);
            lock (gate)
            {
                user.Apply(changes);
                foreach (var change in changes)
                    Index(user, change.RoomNid);
            }
        }
    }

    /// <summary>Somebody began or stopped typing in a room: the change has this number.</summary>
    public void TypingChanged(long room, long number)
    {
        List<SyncUser> woken = [];
        lock (gate)
        {
            if (byRoom.TryGetValue(room, out var present))
                woken.AddRange(present.Where(user => user.TouchTyping(number)));
        }
        woken.ForEach(Wake);
    }

    /// <summary>
    /// Completes when an entry above <paramref name="seen"/> concerns the user, or typing after <paramref name="seenTyping"/>; at once when one already did.
    /// </summary>
    public async Task<bool> WaitBeyond(SyncUser user, LogPosition seen, long seenTyping, TimeSpan timeout, CancellationToken ct)
    {
        Task waiter;
        lock (gate)
        {
            if (user.Touched > seen || user.TouchedTyping > seenTyping)
                return true;
            waiter = user.AddWaiter();
        }
        try
        {
            await waiter.WaitAsync(timeout, time, ct);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
        finally
        {
            lock (gate)
                user.RemoveWaiter(waiter);
        }
    }

    void Apply(IReadOnlyList<LogEntry> entries)
    {
        var woken = new HashSet<SyncUser>();
        lock (gate)
        {
            foreach (var entry in entries)
            {
                sights.Changed(entry);
                if (entry is { Kind: LogKind.Event, Key: "m.room.redaction", EventNid: { } redaction })
                    events.Redacted(redaction);
                if (IsMembership(entry))
                    counts.Changed(entry.RoomNid!.Value);
                if (entry.RoomNid is { } room && ConcernsRoom(entry) && byRoom.TryGetValue(room, out var present))
                    woken.UnionWith(present.Where(user => user.Touch(entry.Position)));
                if (entry.Kind != LogKind.Session && entry.UserId is { } userId && users.TryGetValue(userId, out var concerned))
                {
                    if (IsMembership(entry))
                        Hold(concerned, entry);
                    if (concerned.Touch(entry.Position))
                        woken.Add(concerned);
                }
            }
            if (entries.Count > 0)
                position = Max(position, entries[^1].Position);
        }
        foreach (var user in woken)
            Wake(user);
    }

    // The user may have joined: until the event has been read, what happens in the room concerns the user.
    void Hold(SyncUser user, LogEntry entry)
    {
        user.AddUnread(entry);
        Add(user, entry.RoomNid!.Value);
    }

    void Wake(SyncUser user)
    {
        TaskCompletionSource[] waiters;
        lock (gate)
            waiters = user.TakeWaiters();
        foreach (var waiter in waiters)
            waiter.TrySetResult();
    }

    async Task Begin()
    {
        await follower.Started;
        var told = follower.Position;
        await follower.WaitFor(told, CancellationToken.None);
        lock (gate)
            position = Max(position, told);
    }

    async Task Load(SyncUser user)
    {
        await begun;
        var rooms = await store.ListMemberships(user.UserId, CancellationToken.None);
        // The rows may be ahead of what the follower has told us: catch up with them first.
        var newest = rooms.Count == 0 ? LogPosition.Start : new LogPosition(rooms.Max(room => room.Position));
        await follower.WaitFor(newest, CancellationToken.None);
        lock (gate)
        {
            user.Load(rooms);
            foreach (var room in rooms)
                Index(user, room.RoomNid);
            foreach (var entry in user.Unread)
                Add(user, entry.RoomNid!.Value);
        }
    }

    async Task<IReadOnlyList<UserMembership>> Read(LogEntry[] entries, CancellationToken ct)
    {
        var batch = new EventBatch();
        await events.Load(batch, [.. entries.Select(entry => entry.EventNid!.Value)], ct);
        return [.. entries.Select(entry => batch.Find(entry.EventNid!.Value) is { } e
            ? new UserMembership(e.RoomNid, e.RoomId, e.Membership ?? "leave", e.Nid, entry.Position.Value)
            : new UserMembership(entry.RoomNid!.Value, "", "leave", entry.EventNid!.Value, entry.Position.Value))];
    }

    void Index(SyncUser user, long room)
    {
        if (user.Rooms.TryGetValue(room, out var membership) && membership.Membership == "join")
            Add(user, room);
        else if (user.Unread.All(entry => entry.RoomNid != room))
            Remove(user, room);
    }

    void Add(SyncUser user, long room)
    {
        if (!byRoom.TryGetValue(room, out var present))
            byRoom.Add(room, present = []);
        present.Add(user);
    }

    void Remove(SyncUser user, long room)
    {
        if (byRoom.TryGetValue(room, out var present) && present.Remove(user) && present.Count == 0)
            byRoom.Remove(room);
    }

    void Sweep()
    {
        lock (gate)
        {
            var before = time.GetUtcNow() - Forget;
            foreach (var user in users.Values.Where(user => user.Uses == 0 && user.LastUsed < before).ToList())
            {
                users.Remove(user.UserId);
                foreach (var room in user.Rooms.Keys)
                    Remove(user, room);
                foreach (var entry in user.Unread)
                    Remove(user, entry.RoomNid!.Value);
            }
        }
    }

    static bool IsMembership(LogEntry entry) => entry is { Kind: LogKind.Event, Key: "m.room.member", RoomNid: not null, EventNid: not null };

    static bool ConcernsRoom(LogEntry entry) => entry.Kind == LogKind.Event || (entry.Kind == LogKind.Receipt && entry.Key != Receipt.PrivateRead);

    static LogPosition Max(LogPosition a, LogPosition b) => a > b ? a : b;
}
