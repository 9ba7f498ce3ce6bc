using System.Diagnostics.CodeAnalysis;
using Matrix.Replication;

namespace Matrix.ClientApi.Sync;

/// <summary>
/// The users who sync here, by id and by the rooms they are in, and how far the log has been told to them. One lock for all of it, which keeps a waiter from being
/// registered between an entry and those whom it wakes; every member but <see cref="Position"/> is used under it.
/// </summary>
sealed class SyncUsers
{
    readonly Dictionary<string, SyncUser> byId = new(StringComparer.Ordinal);
    readonly RoomUsers byRoom = new();
    LogPosition position;

    public Lock Gate { get; } = new();

    /// <summary>Everything up to here has been told to the users.</summary>
    public LogPosition Position
    {
        get
        {
            lock (Gate)
                return position;
        }
    }

    public IReadOnlyCollection<SyncUser> All => byId.Values;

    public void Reach(LogPosition told)
    {
        if (told > position)
            position = told;
    }

    public bool TryGet(string userId, [NotNullWhen(true)] out SyncUser? user) => byId.TryGetValue(userId, out user);

    public SyncUser GetOrAdd(string userId)
    {
        if (!byId.TryGetValue(userId, out var user))
            byId.Add(userId, user = new SyncUser(userId));
        return user;
    }

    public void Remove(SyncUser user)
    {
        byId.Remove(user.UserId);
        foreach (var room in user.Rooms.Keys)
            byRoom.Remove(user, room);
        foreach (var entry in user.Unread)
            byRoom.Remove(user, entry.RoomNid!.Value);
    }

    /// <inheritdoc cref="RoomUsers.In"/>
    public HashSet<SyncUser> In(long room) => byRoom.In(room);

    /// <summary>The user may have joined: until the event has been read, what happens in the room concerns the user.</summary>
    public void Hold(SyncUser user, LogEntry entry)
    {
        user.AddUnread(entry);
        byRoom.Add(user, entry.RoomNid!.Value);
    }

    /// <summary>The user's membership of the room is known now.</summary>
    public void Index(SyncUser user, long room)
    {
        if (user.Unread.Any(entry => entry.RoomNid == room) || user.Rooms.TryGetValue(room, out var membership) && membership.Membership == "join")
            byRoom.Add(user, room);
        else
            byRoom.Remove(user, room);
    }
}
