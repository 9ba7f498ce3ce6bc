namespace Matrix.ClientApi.Sync;

/// <summary>Which of the users who sync here are in a room. Belongs to <see cref="SyncUsers"/>, under whose lock it is used.</summary>
sealed class RoomUsers
{
    static readonly HashSet<SyncUser> nobody = [];
    readonly Dictionary<long, HashSet<SyncUser>> byRoom = [];

    /// <summary>To look at alone. Not an interface: each entry of the log walks through one of these.</summary>
    public HashSet<SyncUser> In(long room) => byRoom.GetValueOrDefault(room, nobody);

    public void Add(SyncUser user, long room)
    {
        if (!byRoom.TryGetValue(room, out var present))
            byRoom.Add(room, present = []);
        present.Add(user);
    }

    public void Remove(SyncUser user, long room)
    {
        if (byRoom.TryGetValue(room, out var present) && present.Remove(user) && present.Count == 0)
            byRoom.Remove(room);
    }
}
