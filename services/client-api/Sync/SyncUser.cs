using System.Collections.Immutable;
using Matrix.Replication;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync;

/// <summary>
/// What this process remembers of a user who syncs here: the rooms the user is in, invited to or knocking at, and who waits. Belongs to
/// <see cref="SyncHub"/>, under whose lock every member is used.
/// </summary>
sealed class SyncUser(string userId)
{
    readonly List<TaskCompletionSource> waiters = [];
    readonly List<LogEntry> unread = [];

    public string UserId { get; } = userId;

    public Task? Loaded { get; set; }

    /// <summary>Requests that use this object: it may not be forgotten meanwhile.</summary>
    public int Uses { get; set; }

    public DateTimeOffset LastUsed { get; set; }

    /// <summary>The newest entry that concerned the user.</summary>
    public LogPosition Touched { get; private set; }

    /// <summary>The newest change of who is typing that concerned the user.</summary>
    public long TouchedTyping { get; private set; }

    public ImmutableDictionary<long, UserMembership> Rooms { get; private set; } = ImmutableDictionary<long, UserMembership>.Empty;

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
        }
    }

    /// <summary>True when somebody waits and has to be woken.</summary>
    public bool Touch(LogPosition position)
    {
        if (position > Touched)
            Touched = position;
        return waiters.Count > 0;
    }

    /// <inheritdoc cref="Touch"/>
    public bool TouchTyping(long number)
    {
        TouchedTyping = Math.Max(TouchedTyping, number);
        return waiters.Count > 0;
    }

    public Task AddWaiter()
    {
        var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        waiters.Add(waiter);
        return waiter.Task;
    }

    public void RemoveWaiter(Task waiter) => waiters.RemoveAll(w => w.Task == waiter);

    public TaskCompletionSource[] TakeWaiters()
    {
        TaskCompletionSource[] taken = [.. waiters];
        waiters.Clear();
        return taken;
    }
}
