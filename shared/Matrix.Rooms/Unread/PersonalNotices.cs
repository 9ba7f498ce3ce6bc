namespace Matrix.Rooms.Unread;

/// <summary>Collects for whom an event means something else than what the ordinary rules say.</summary>
/// <param name="thread">In which thread the event is.</param>
sealed class PersonalNotices(string sender, Notice ordinary, string thread)
{
    readonly List<PersonalNotice> notices = [];
    HashSet<string>? known;

    public IReadOnlyList<PersonalNotice> Notices => notices;

    /// <summary>Is it decided what the event means for this user?</summary>
    public bool Knows(string userId) => userId == sender || known?.Contains(userId) == true;

    /// <param name="level">The user's in the room.</param>
    public void Set(string userId, Notice notice, NotifyLevel level)
    {
        if (Knows(userId))
            return;
        (known ??= new HashSet<string>(StringComparer.Ordinal)).Add(userId);
        if (notice != (level.Counts(thread) ? ordinary : Notice.None))
            notices.Add(new PersonalNotice(userId, notice));
    }

    /// <summary>Nobody is notified of what they sent. Only needed where the event does not count as read by its sender anyway.</summary>
    public void LeaveOutSender()
    {
        if (ordinary != Notice.None)
            notices.Add(new PersonalNotice(sender, Notice.None));
    }
}
