namespace Matrix.Rooms.Unread;

/// <summary>
/// What is unread in a thread for a user: the newest events one by one, so that a receipt among them can be counted from, and what is older as a sum.
/// Immutable.
/// </summary>
/// <param name="ReadTo">How far the user has read the thread.</param>
/// <param name="OlderUpTo">The newest event that can be in <paramref name="Older"/>.</param>
/// <param name="Newest">In order; with position and count.</param>
sealed record ThreadUnread(long ReadTo, long OlderUpTo, UnreadCount Older, IReadOnlyList<(long Position, UnreadCount Count)> Newest)
{
    const int MaxNewest = 32;

    public UnreadCount Count => Newest.Count == 0 ? Older : Newest.Aggregate(Older, (sum, item) => sum + item.Count);

    public ThreadUnread Add(long position, Notice notice)
    {
        if (position <= ReadTo)
            return this;
        var count = new UnreadCount(1, notice == Notice.Highlight ? 1 : 0);
        if (Newest.Count < MaxNewest)
            return this with { Newest = [.. Newest, (position, count)] };
        // the older half becomes a part of the sum
        var half = Newest.Take(MaxNewest / 2).ToList();
        return this with
        {
            OlderUpTo = half[^1].Position,
            Older = half.Aggregate(Older, (sum, item) => sum + item.Count),
            Newest = [.. Newest.Skip(half.Count), (position, count)],
        };
    }

    /// <summary>The user has read up to here. Null: only the tables know what is left of it.</summary>
    public ThreadUnread? Read(long position)
    {
        if (position <= ReadTo)
            return this;
        if (position < OlderUpTo && Older != default)
            return null;
        return new ThreadUnread(position, 0, default, [.. Newest.Where(item => item.Position > position)]);
    }
}
