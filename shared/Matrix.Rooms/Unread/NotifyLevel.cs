namespace Matrix.Rooms.Unread;

/// <summary>Whether what notifies by the ordinary rules counts for a user in a room, unless a personal notice says otherwise.</summary>
/// <param name="Main">In the main timeline.</param>
/// <param name="Threads">In threads that the user is not subscribed to.</param>
public readonly record struct NotifyLevel(bool Main, bool Threads)
{
    /// <summary>It counts everywhere, as for all who never changed their rules.</summary>
    public static NotifyLevel Ordinary { get; } = new(true, true);

    /// <summary>Does it count in this thread?</summary>
    /// <param name="threadId">A thread root, or <see cref="EventNote.Main"/>.</param>
    public bool Counts(string threadId) => threadId == EventNote.Main ? Main : Threads;
}
