namespace Matrix.Rooms.Unread;

/// <param name="Notifications">Unread events that notify, the highlighted ones among them.</param>
public readonly record struct UnreadCount(int Notifications, int Highlights)
{
    public static UnreadCount operator +(UnreadCount a, UnreadCount b) => new(a.Notifications + b.Notifications, a.Highlights + b.Highlights);
}

/// <summary>What is unread in a room for a user who is in it.</summary>
/// <param name="Main">In the main timeline.</param>
/// <param name="Threads">By thread root; only threads in which something is.</param>
public sealed record RoomUnread(UnreadCount Main, IReadOnlyDictionary<string, UnreadCount> Threads)
{
    public static RoomUnread Nothing { get; } = new(default, new Dictionary<string, UnreadCount>());

    /// <summary>In the main timeline and all threads.</summary>
    public UnreadCount Total => Threads.Count == 0 ? Main : Threads.Values.Aggregate(Main, (sum, count) => sum + count);
}
