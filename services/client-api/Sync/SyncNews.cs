using Matrix.ClientApi.Sync.Devices;
using Matrix.ClientApi.Sync.Presence;
using Matrix.Replication;
using Matrix.Rooms.Devices;
using Npgsql;

namespace Matrix.ClientApi.Sync;

/// <summary>
/// Follows the log for the users who sync here, and wakes those whom an entry concerns: by user, and by the rooms they are in. An entry costs what it concerns; an idle
/// user costs nothing. Typing and presence, which are in no log, wake in the same way.
/// </summary>
sealed class SyncNews(
    SyncUsers users, LogFollower follower, EventCache events, RoomCountsCache counts, ReaderCaches readers, SharedRooms shared, PresenceIndex presence, TimeProvider time)
    : IHostedService, IDisposable
{
    // Nobody has to know within seconds who is online, and in a big room somebody comes or goes all the time.
    static readonly TimeSpan PresenceEvery = TimeSpan.FromSeconds(10);

    readonly Lock gate = users.Gate;
    readonly HashSet<SyncUser> presencePending = [];
    IDisposable? subscription;

    /// <summary>Completes once entries are told, and the position is one that this process knows.</summary>
    public Task Begun { get; private set; } = Task.CompletedTask;

    public Task StartAsync(CancellationToken ct)
    {
        subscription = follower.Subscribe(Apply);
        Begun = Begin();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken ct)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose() => subscription?.Dispose();

    /// <summary>Somebody began or stopped typing in a room: the change has this number.</summary>
    public void TypingChanged(long room, long number)
    {
        List<TaskCompletionSource> woken = [];
        lock (gate)
        {
            foreach (var user in users.In(room))
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
                if (users.TryGet(userId, out var user))
                    presencePending.Add(user);
            }
            foreach (var room in rooms)
                presencePending.UnionWith(users.In(room));
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
                if (entry.RoomNid is { } room && entry.ConcernsRoom())
                {
                    foreach (var user in users.In(room))
                        user.Touch(entry, woken);
                }
                if (entry.Kind == LogKind.ToDevice)
                    TouchDevices(entry, woken);
                else if (entry is { Kind: LogKind.DeviceList, Key: null } && !TouchSharing(entry, woken))
                    (elsewhere ??= []).Add(entry);
                else if (entry.ConcernsUser() && users.TryGet(entry.UserId!, out var concerned))
                    concerned.Touch(entry, woken);
            }
            if (entries.Count > 0)
                users.Reach(entries[^1].Position);
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
        if (users.TryGet(userId, out var concerned))
            users.Hold(concerned, entry);
    }

    void TouchDevices(LogEntry entry, List<TaskCompletionSource> woken)
    {
        foreach (var (userId, deviceId) in ToDeviceRecipients.List(entry))
        {
            if (!users.TryGet(userId, out var user))
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
        if (entry.UserId is not { } userId || !users.TryGet(userId, out var owner) || owner is not { Loaded.IsCompletedSuccessfully: true, Unread.Count: 0 })
            return false;
        owner.Touch(entry.Position, woken);
        foreach (var room in owner.Rooms.Values.Where(room => room.Membership == "join"))
        {
            foreach (var user in users.In(room.RoomNid))
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
                    ? users.All
                    : rooms[entry.UserId!].SelectMany(users.In).Concat(users.TryGet(entry.UserId!, out var owner) ? [owner] : []);
                foreach (var user in concerned.Distinct())
                    user.Touch(entry.Position, woken);
            }
        }
        Wake(woken);
    }

    static void Wake(List<TaskCompletionSource> waiters) => waiters.ForEach(waiter => waiter.TrySetResult());

    async Task Begin()
    {
        await follower.Started;
        var told = follower.Position;
        await follower.WaitFor(told, CancellationToken.None);
        lock (gate)
            users.Reach(told);
    }
}
