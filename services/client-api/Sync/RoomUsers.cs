using System.Diagnostics.CodeAnalysis;

namespace Matrix.ClientApi.Sync;

/// <summary>Which of the users who sync here are in a room. Belongs to <see cref="SyncHub"/>, under whose lock it is used.</summary>
sealed class RoomUsers
{
    readonly Dictionary<long, HashSet<SyncUser>> byRoom = [];

    public bool TryGetValue(long room, [NotNullWhen(true)] out HashSet<SyncUser>? present) => byRoom.TryGetValue(room, out present);

    public IReadOnlyCollection<SyncUser> In(long room) => byRoom.TryGetValue(room, out var present) ? present : [];

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
