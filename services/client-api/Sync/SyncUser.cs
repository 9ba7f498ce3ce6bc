using System.Collections.Immutable;
using Matrix.ClientApi.Sync.Sliding;
using Matrix.Replication;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync;

/// <summary>
/// What this process remembers of a user who syncs here: the rooms the user is in, invited to or knocking at, and who waits. Belongs to
/// <see cref="SyncUsers"/>, under whose lock every member is used.
/// </summary>
sealed class SyncUser(string userId)
{
    readonly List<(string DeviceId, LogPosition Seen, TaskCompletionSource Source)> waiters = [];
    readonly Dictionary<string, LogPosition> devices = new(StringComparer.Ordinal);
    readonly List<LogEntry> unread = [];

    public string UserId { get; } = userId;

    public Task? Loaded { get; set; }

    /// <summary>Requests that use this object: it may not be forgotten meanwhile.</summary>
    public int Uses { get; set; }

    public DateTimeOffset LastUsed { get; set; }

    /// <summary>The newest entry that concerned the user, whatever the device.</summary>
    LogPosition Touched { get; set; }

    /// <summary>The newest change of who is typing that concerned the user.</summary>
    public long TouchedTyping { get; private set; }

    /// <summary>The newest change of others' presence that the user was woken for, and when.</summary>
    public long TouchedPresence { get; private set; }

    public DateTimeOffset PresenceWokenAt { get; private set; }

    public ImmutableDictionary<long, UserMembership> Rooms { get; private set; } = ImmutableDictionary<long, UserMembership>.Empty;

    /// <summary>The user's rooms in order, for who follows them by sliding sync; null: nobody has yet.</summary>
    public RoomList? List { get; set; }

    /// <summary>Membership events of the user that came after the rooms were read and have not been looked into.</summary>
    public IReadOnlyList<LogEntry> Unread => unread;

    public void AddUnread(LogEntry entry) => unread.Add(entry);

    public void Load(IReadOnlyList<UserMembership> rooms) => Rooms = rooms.ToImmutableDictionary(room => room.RoomNid);

    /// <summary>Takes what membership events said; each counts unless a newer one has.</summary>
    public void Apply(IEnumerable<UserMembership> changes)
    {
        foreach (var change in changes)
        {
            unread.RemoveAll(entry => entry.EventNid == change.EventNid);
            if (!Rooms.TryGetValue(change.RoomNid, out var known) || known.Position < change.Position)
                Rooms = Rooms.SetItem(change.RoomNid, change);
            List?.Set(change);
        }
    }

    /// <summary>The newest entry that concerned a device of the user.</summary>
    public LogPosition TouchedOf(string deviceId) => devices.TryGetValue(deviceId, out var own) && own > Touched ? own : Touched;

    /// <summary>Something concerns the user: adds those who wait to the ones that have to be woken.</summary>
    public void Touch(LogPosition position, List<TaskCompletionSource> woken)
    {
        if (position > Touched)
            Touched = position;
        Take(null, position, woken);
    }

    /// <summary>The same, when the entry may have changed the user's list of rooms.</summary>
    public void Touch(LogEntry entry, List<TaskCompletionSource> woken)
    {
        List?.Follow(entry);
        Touch(entry.Position, woken);
    }

    /// <summary>The same for one device.</summary>
    public void TouchDevice(LogPosition position, string deviceId, List<TaskCompletionSource> woken)
    {
        if (!devices.TryGetValue(deviceId, out var own) || position > own)
            devices[deviceId] = position;
        Take(deviceId, position, woken);
    }

    /// <inheritdoc cref="Touch(LogPosition, List{TaskCompletionSource})"/>
    public void TouchTyping(long number, List<TaskCompletionSource> woken)
    {
        TouchedTyping = Math.Max(TouchedTyping, number);
        Take(null, null, woken);
    }

    /// <summary>Others are there or gone.</summary>
    public void TouchPresence(long number, DateTimeOffset now, List<TaskCompletionSource> woken)
    {
        (TouchedPresence, PresenceWokenAt) = (number, now);
        Take(null, null, woken);
    }

    /// <param name="seen">What the one who waits knows: an entry up to there, told late, is no news.</param>
    public Task AddWaiter(string deviceId, LogPosition seen)
    {
        var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        waiters.Add((deviceId, seen, waiter));
        return waiter.Task;
    }

    public void RemoveWaiter(Task waiter) => waiters.RemoveAll(w => w.Source.Task == waiter);

    void Take(string? deviceId, LogPosition? position, List<TaskCompletionSource> woken)
    {
        for (var i = waiters.Count - 1; i >= 0; i--)
        {
            if ((deviceId is not null && waiters[i].DeviceId != deviceId) || position <= waiters[i].Seen)
                continue;
            woken.Add(waiters[i].Source);
            waiters.RemoveAt(i);
        }
    }
}
