using Matrix.Rooms.Ephemeral;

namespace Matrix.ClientApi.Sync.Presence;

/// <summary>
/// Everybody's presence, put together from what the processes know. Each derives the same from the same facts by its own clock: that somebody
/// has become idle, or a process has died, needs no message.
/// </summary>
sealed class PresenceBoard(TimeProvider time)
{
    const int MostGone = 20_000;
    const string Idle = PresenceState.Unavailable;

    public static readonly TimeSpan IdleAfter = TimeSpan.FromMinutes(5), ActiveFor = TimeSpan.FromMinutes(1);

    // A client that was away is to learn who went offline meanwhile. Of many who are gone those are forgotten first who went first.
    static readonly TimeSpan Remember = TimeSpan.FromDays(1), LookEvery = TimeSpan.FromSeconds(5);

    // Servers say again every 25 minutes that somebody is there.
    static readonly TimeSpan RemoteFor = TimeSpan.FromMinutes(30);

    readonly Lock gate = new();
    readonly Dictionary<string, User> users = new(StringComparer.Ordinal);
    readonly HashSet<string> changed = new(StringComparer.Ordinal);
    readonly string process = $"p{Guid.NewGuid():N}"[..9];
    long lookedAt;
    long versions;

    public string Process => process;

    public PresenceState Find(string userId)
    {
        lock (gate)
            return users.TryGetValue(userId, out var user) ? user.Derive(Now) : PresenceState.None;
    }

    /// <summary>The status message and when it was set.</summary>
    public (string? Message, long At) FindStatus(string userId)
    {
        lock (gate)
            return users.TryGetValue(userId, out var user) ? (user.StatusMessage, user.StatusAt) : (null, 0);
    }

    /// <summary>Takes what a process knows of a user.</summary>
    public void Apply(string fromProcess, PresenceFact fact)
    {
        lock (gate)
        {
            if (!users.TryGetValue(fact.UserId, out var user))
                users.Add(fact.UserId, user = new User());
            if (fromProcess.StartsWith(PresenceNews.OfServer, StringComparison.Ordinal))
                user.RemoteAt = Now;
            if (fact.Wish == PresenceState.Offline)
                user.Wishes.Remove(fromProcess);
            else
                user.Wishes[fromProcess] = fact.Wish;
            if (fact.StatusAt >= user.StatusAt) // two of one millisecond come in their order
                (user.StatusMessage, user.StatusAt) = (fact.StatusMessage, fact.StatusAt);
            user.LastActive = Math.Max(user.LastActive, fact.LastActive);
            Look(fact.UserId, user);
        }
    }

    /// <summary>A process is not heard of any more: nobody syncs there.</summary>
    public void Forget(string deadProcess)
    {
        lock (gate)
        {
            foreach (var (userId, user) in users)
            {
                if (user.Wishes.Remove(deadProcess))
                    Look(userId, user);
            }
        }
    }

    /// <summary>Time has passed: some have become idle, and some have been offline for long. These are forgotten, and returned.</summary>
    public IReadOnlyList<string> Tick()
    {
        lock (gate)
        {
            if (Now - lookedAt < LookEvery.TotalMilliseconds)
                return [];
            lookedAt = Now;
            var gone = new List<(long At, string UserId)>();
            foreach (var (userId, user) in users)
            {
                if (user.RemoteAt > 0 && Now - user.RemoteAt > RemoteFor.TotalMilliseconds)
                    user.ForgetServer();
                Look(userId, user);
                if (user.Shown.Presence == PresenceState.Offline)
                    gone.Add((user.ChangedAt, userId));
            }
            var spare = gone.Count - MostGone;
            var oldest = lookedAt - (long)Remember.TotalMilliseconds;
            if (spare <= 0 && gone.TrueForAll(user => user.At >= oldest))
                return [];
            string[] forgotten = [.. gone.OrderBy(user => user.At).TakeWhile((user, i) => i < spare || user.At < oldest).Select(user => user.UserId)];
            foreach (var userId in forgotten)
                users.Remove(userId);
            return forgotten;
        }
    }

    /// <summary>Those who changed since it was last called.</summary>
    public IReadOnlyCollection<string> TakeChanged()
    {
        lock (gate)
        {
            string[] taken = [.. changed];
            changed.Clear();
            return taken;
        }
    }

    /// <summary>Another number with each change of the user; 0: nothing is known.</summary>
    public long VersionOf(string userId)
    {
        lock (gate)
            return users.TryGetValue(userId, out var user) ? user.Version : 0;
    }

    /// <summary>These users' presence, but of those of whom nothing is known.</summary>
    public IEnumerable<(string UserId, PresenceState State)> List(IEnumerable<string> userIds)
    {
        lock (gate)
        {
            var now = Now;
            return [.. userIds.Where(users.ContainsKey).Select(userId => (userId, users[userId].Derive(now)))];
        }
    }

    long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    void Look(string userId, User user)
    {
        var state = user.Derive(Now);
        if (state.Presence == user.Shown.Presence && state.StatusMessage == user.Shown.StatusMessage && (user.Shown.CurrentlyActive || !state.CurrentlyActive))
        {
            if (user.Shown.CurrentlyActive != state.CurrentlyActive)
                user.Shown = user.Shown with { CurrentlyActive = state.CurrentlyActive };
            return;
        }
        (user.Shown, user.ChangedAt, user.Version) = (state, Now, ++versions);
        changed.Add(userId);
    }

    sealed class User
    {
        /// <summary>By process.</summary>
        public Dictionary<string, string> Wishes { get; } = new(StringComparer.Ordinal);

        public string? StatusMessage { get; set; }

        public long StatusAt { get; set; }

        public long LastActive { get; set; }

        public PresenceState Shown { get; set; } = PresenceState.None;

        public long ChangedAt { get; set; }

        public long Version { get; set; }

        /// <summary>When the user's server, if that is another one, last said something; 0: never.</summary>
        public long RemoteAt { get; set; }

        public void ForgetServer()
        {
            RemoteAt = 0;
            foreach (var server in Wishes.Keys.Where(process => process.StartsWith(PresenceNews.OfServer, StringComparison.Ordinal)).ToArray())
                Wishes.Remove(server);
        }

        public PresenceState Derive(long now)
        {
            var wish = PresenceState.Offline;
            foreach (var (_, one) in Wishes)
            {
                if (PresenceState.Rank(one) > PresenceState.Rank(wish))
                    wish = one;
            }
            var rested = now - LastActive;
            // of users of other servers these say themselves when one is idle
            if (wish == PresenceState.Online && RemoteAt == 0 && rested > IdleAfter.TotalMilliseconds)
                wish = Idle;
            return new PresenceState(wish, StatusMessage, LastActive, wish is PresenceState.Online or PresenceState.Busy && rested < ActiveFor.TotalMilliseconds);
        }
    }
}
