namespace Matrix.ClientApi.Sync.Presence;

/// <summary>A user of <see cref="PresenceIndex"/>.</summary>
sealed class Listed(string userId)
{
    public string UserId => userId;

    public long[] Rooms { get; set; } = [];

    /// <summary>The newest change.</summary>
    public long Number { get; set; }

    /// <summary>What of <see cref="PresenceBoard"/> is listed.</summary>
    public long Version { get; set; }

    /// <summary>There was no place for the user's rooms: every reader has to ask about the user.</summary>
    public bool IsWide { get; set; }
}

/// <summary>The newest change of each of some users, in order; for a while also earlier ones.</summary>
sealed class PresenceLog
{
    const int Slack = 16;

    readonly List<(long Number, Listed User)> changes = [];
    int most = Slack;

    public bool IsEmpty => changes.Count == 0;

    public void Add(long number, Listed user)
    {
        if (changes.Count >= most)
            Compact();
        changes.Add((number, user));
    }

    public bool Remove(Listed user) => changes.RemoveAll(change => change.User == user) > 0;

    public void AddAfter(long number, HashSet<Listed> to)
    {
        for (var i = changes.Count - 1; i >= 0 && changes[i].Number > number; i--)
            to.Add(changes[i].User);
    }

    // Leaves the newest of each. What it costs has been paid for by as many additions.
    void Compact()
    {
        var seen = new HashSet<Listed>();
        var newest = changes.Count;
        for (var i = changes.Count - 1; i >= 0; i--)
        {
            if (seen.Add(changes[i].User))
                changes[--newest] = changes[i];
        }
        changes.RemoveRange(0, newest);
        most = 2 * changes.Count + Slack;
        changes.TrimExcess();
    }
}
