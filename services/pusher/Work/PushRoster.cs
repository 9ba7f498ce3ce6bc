namespace Matrix.Pusher.Work;

/// <summary>A user whose pushers this replica works for.</summary>
sealed class PushUser(string userId, short shard)
{
    public string UserId => userId;

    public short Shard => shard;

    /// <summary>Replaced as a whole.</summary>
    public IReadOnlyList<PusherQueue> Queues { get; set; } = [];
}

/// <summary>The users whose pushers this replica works for. Changed by one task, <see cref="PushWork"/>.</summary>
sealed class PushRoster
{
    readonly Dictionary<string, PushUser> users = new(StringComparer.Ordinal);

    public int Count => users.Count;

    public IEnumerable<PushUser> Users => users.Values;

    public PushUser? Find(string? userId) => userId is not null && users.TryGetValue(userId, out var user) ? user : null;

    public void Set(PushUser user)
    {
        if (user.Queues.Count > 0)
            users[user.UserId] = user;
        else
            users.Remove(user.UserId);
    }

    public void Add(PushRoster other)
    {
        foreach (var user in other.Users)
            Set(user);
    }

    public void RemoveShard(short shard)
    {
        foreach (var user in users.Values.Where(user => user.Shard == shard).ToList())
        {
            foreach (var queue in user.Queues)
                queue.Close();
            users.Remove(user.UserId);
        }
    }
}
