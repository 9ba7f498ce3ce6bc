using Matrix.ClientApi.Sync.Devices;
using Matrix.ClientApi.Sync.Presence;
using Matrix.Hosting.Overload;
using Matrix.Replication;
using Matrix.Rooms.Devices;
using Matrix.Storage.Sync;
using Npgsql;

namespace Matrix.ClientApi.Sync;

/// <summary>
/// Follows the log for the users who sync here, and wakes those whom an entry concerns: by user, and by the rooms they are in. An entry costs
/// what it concerns; an idle user costs nothing. The rooms of a user are read from Postgres once and then kept by the log.
/// </summary>
sealed class SyncHub(
    LogFollower follower, SyncStore store, EventCache events, RoomCountsCache counts, ReaderCaches readers, SharedRooms shared, PresenceIndex presence,
    Caches caches, TimeProvider time)
    : IHostedService, IDisposable
{
    static readonly TimeSpan Forget = TimeSpan.FromMinutes(10);

    // Nobody has to know within seconds who is online, and in a big room somebody comes or goes all the time.
    static readonly TimeSpan PresenceEvery = TimeSpan.FromSeconds(10);

    readonly Lock gate = new();
    readonly Dictionary<string, SyncUser> users = new(StringComparer.Ordinal);
    readonly RoomUsers byRoom = new();
    readonly HashSet<SyncUser> presencePending = [];
    readonly long limit = caches.Scale("sync_users", SyncUsersLimit.Bytes);
    int added;
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

    /// <summary>Is it known here that the user is in the room?</summary>
    public bool KnowsJoined(string userId, long room)
    {
        lock (gate)
        {
            return users.TryGetValue(userId, out var user) && user.Unread.All(entry => entry.RoomNid != room)
                && user.Rooms.TryGetValue(room, out var membership) && membership.Membership == "join";
        }
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
            if (user.Uses++ == 0 && user.Loaded is null && ++added % SyncUsersLimit.Every == 0)
                Sweep();
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
                Share(user);
            }
        }
    }

    /// <summary>Looks at what is kept of a user, or changes it, under the lock that entries are told under. Quick: it holds up the log.</summary>
    public T Read<T>(Func<LogPosition, T> read)
    {
        lock (gate)
            return read(position);
    }

    /// <summary>Somebody began or stopped typing in a room: the change has this number.</summary>
    public void TypingChanged(long room, long number)
    {
        List<TaskCompletionSource> woken = [];
        lock (gate)
        {
            foreach (var user in byRoom.In(room))
                user.TouchTyping(number, woken);
        }
        Wake(woken);
    }

    /// <summary>The presence of these users changed: it concerns them and those in these rooms, who are woken by <see cref="WakeForPresence"/>.</summary>
    public void PresenceChanged(IEnumerable<string> own, IEnumerable<long> rooms)
    {
        lock (gate)
        {
            foreach (var userId in own)
            {
                if (users.TryGetValue(userId, out var user))
                    presencePending.Add(user);
            }
            foreach (var room in rooms)
                presencePending.UnionWith(byRoom.In(room));
        }
    }

    /// <summary>Wakes those whom changes of presence concern, unless it did a moment ago: then later.</summary>
    public void WakeForPresence(long number)
    {
        var woken = new List<TaskCompletionSource>();
        lock (gate)
        {
            if (presencePending.Count == 0)
                return;
            var now = time.GetUtcNow();
            foreach (var user in presencePending)
            {
                if (now - user.PresenceWokenAt >= PresenceEvery)
                {
                    user.TouchPresence(number, now, woken);
                    presencePending.Remove(user);
                }
            }
        }
        Wake(woken);
    }

    /// <summary>
    /// Completes when an entry above <paramref name="seen"/> concerns the user or the device, or typing after <paramref name="seenTyping"/>
    /// or presence after <paramref name="seenPresence"/>; at once when one already did.
    /// </summary>
    public async Task<bool> WaitBeyond(SyncUser user, string deviceId, LogPosition seen, long seenTyping, long seenPresence, TimeSpan timeout, CancellationToken ct)
    {
        Task waiter;
        lock (gate)
        {
            if (user.TouchedOf(deviceId) > seen || user.TouchedTyping > seenTyping || user.TouchedPresence > seenPresence)
                return true;
            waiter = user.AddWaiter(deviceId, seen);
        }
        Work.OnlyWaits();
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
        var woken = new List<TaskCompletionSource>();
        List<LogEntry>? elsewhere = null;
        lock (gate)
        {
            foreach (var entry in entries)
            {
                readers.Changed(entry);
                if (entry is { Kind: LogKind.Event, Key: "m.room.redaction", EventNid: { } redaction })
                    events.Redacted(redaction);
                if (entry is { Kind: LogKind.StateMerge, Key: not null, RoomNid: { } adopted })
                {
                    shared.Forget();
                    presence.Adopted(adopted);
                }
                if (entry.IsMembership())
                    MembershipChanged(entry);
                if (entry.RoomNid is { } room && entry.ConcernsRoom() && byRoom.TryGetValue(room, out var present))
                {
                    foreach (var user in present)
                        user.Touch(entry, woken);
                }
                if (entry.Kind == LogKind.ToDevice)
                    TouchDevices(entry, woken);
                else if (entry is { Kind: LogKind.DeviceList, Key: null } && !TouchSharing(entry, woken))
                    (elsewhere ??= []).Add(entry);
                else if (entry.ConcernsUser() && users.TryGetValue(entry.UserId!, out var concerned))
                    concerned.Touch(entry, woken);
            }
            if (entries.Count > 0)
                position = Max(position, entries[^1].Position);
        }
        Wake(woken);
        if (elsewhere is not null)
            _ = WakeSharing(elsewhere);
    }

    void MembershipChanged(LogEntry entry)
    {
        counts.Changed(entry.RoomNid!.Value);
        if (entry.UserId is not { } userId)
            return;
        shared.Changed(userId);
        presence.Moved(userId);
        if (users.TryGetValue(userId, out var concerned))
            Hold(concerned, entry);
    }

    void TouchDevices(LogEntry entry, List<TaskCompletionSource> woken)
    {
        foreach (var (userId, deviceId) in ToDeviceRecipients.List(entry))
        {
            if (!users.TryGetValue(userId, out var user))
                continue;
            if (deviceId is null)
                user.Touch(entry.Position, woken);
            else
                user.TouchDevice(entry.Position, deviceId, woken);
        }
    }

    // Another list of devices concerns all who share a room with its owner. False: the owner's rooms are not known here.
    bool TouchSharing(LogEntry entry, List<TaskCompletionSource> woken)
    {
        if (entry.UserId is not { } userId || !users.TryGetValue(userId, out var owner) || owner is not { Loaded.IsCompletedSuccessfully: true, Unread.Count: 0 })
            return false;
        owner.Touch(entry.Position, woken);
        foreach (var room in owner.Rooms.Values.Where(room => room.Membership == "join"))
        {
            foreach (var user in byRoom.In(room.RoomNid))
                user.Touch(entry.Position, woken);
        }
        return true;
    }

    // The rooms are asked for, once for the process. When that fails all are woken, and find out themselves.
    async Task WakeSharing(List<LogEntry> changed)
    {
        Dictionary<string, long[]>? rooms = null;
        try
        {
            rooms = await shared.Get([.. changed.Select(entry => entry.UserId!).Distinct()], CancellationToken.None);
        }
        catch (NpgsqlException)
        {
            // below
        }
        var woken = new List<TaskCompletionSource>();
        lock (gate)
        {
            foreach (var entry in changed)
            {
                var concerned = rooms is null
                    ? users.Values.AsEnumerable()
                    : rooms[entry.UserId!].SelectMany(room => byRoom.In(room)).Append(users.GetValueOrDefault(entry.UserId!)).OfType<SyncUser>();
                foreach (var user in concerned.Distinct())
                    user.Touch(entry.Position, woken);
            }
        }
        Wake(woken);
    }

    // The user may have joined: until the event has been read, what happens in the room concerns the user.
    void Hold(SyncUser user, LogEntry entry)
    {
        user.AddUnread(entry);
        byRoom.Add(user, entry.RoomNid!.Value);
    }

    static void Wake(List<TaskCompletionSource> waiters) => waiters.ForEach(waiter => waiter.TrySetResult());

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
                byRoom.Add(user, entry.RoomNid!.Value);
            Share(user);
        }
    }

    void Share(SyncUser user)
    {
        if (user.Unread.Count == 0)
            shared.Set(user.UserId, [.. user.Rooms.Values.Where(room => room.Membership == "join").Select(room => room.RoomNid)]);
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
            byRoom.Add(user, room);
        else if (user.Unread.All(entry => entry.RoomNid != room))
            byRoom.Remove(user, room);
    }

    void Sweep()
    {
        lock (gate)
        {
            var before = time.GetUtcNow() - Forget;
            foreach (var user in SyncUsersLimit.ToForget(users.Values, before, limit))
            {
                users.Remove(user.UserId);
                presencePending.Remove(user);
                foreach (var room in user.Rooms.Keys)
                    byRoom.Remove(user, room);
                foreach (var entry in user.Unread)
                    byRoom.Remove(user, entry.RoomNid!.Value);
            }
        }
    }

    static LogPosition Max(LogPosition a, LogPosition b) => a > b ? a : b;
}
