using Matrix.Rooms.Ephemeral;

namespace Matrix.ClientApi.Sync.Presence;

/// <summary>
/// Everybody's presence, put together from what the processes know. Each derives the same from the same facts by its own clock: that somebody
/// has become idle, or a process has died, needs no message.
/// </summary>
sealed class PresenceBoard(TimeProvider time)
{
    const int MostChanges = 50_000;
    const string Idle = PresenceState.Unavailable;

    public static readonly TimeSpan IdleAfter = TimeSpan.FromMinutes(5), ActiveFor = TimeSpan.FromMinutes(1);

    // Longer than a client goes without asking, so that nobody misses that a user went offline.
    static readonly TimeSpan Remember = TimeSpan.FromMinutes(5), RememberStatus = TimeSpan.FromDays(1);

    // Servers say again every 25 minutes that somebody is there.
    static readonly TimeSpan RemoteFor = TimeSpan.FromMinutes(30);

    readonly Lock gate = new();
    readonly Dictionary<string, User> users = new(StringComparer.Ordinal);
    readonly Queue<(long Number, string UserId)> changes = new();
    readonly string process = $"p{Guid.NewGuid():N}"[..9];
    long number;

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

    /// <summary>Time has passed: some have become idle, and some have been offline for long.</summary>
    public void Tick()
    {
        lock (gate)
        {
            foreach (var (userId, user) in users)
            {
                if (user.RemoteAt > 0 && Now - user.RemoteAt > RemoteFor.TotalMilliseconds)
                    user.ForgetServer();
                Look(userId, user);
                if (user.Shown.Presence == PresenceState.Offline && Now - user.ChangedAt > (user.StatusMessage is null ? Remember : RememberStatus).TotalMilliseconds)
                    users.Remove(userId);
            }
        }
    }

    /// <summary>
    /// Who changed after the mark; without one of this process all who are not offline, or have only just gone. With them the mark up to which
    /// that holds.
    /// </summary>
    public (PresenceMark Mark, IReadOnlyList<(string UserId, PresenceState State)> Users) ListSince(PresenceMark? mark)
    {
        lock (gate)
        {
            var now = new PresenceMark(process, number);
            if (number == 0 || (mark?.Process == process && mark.Value.Number >= number))
                return (now, []);
            var known = mark?.Process == process && changes.Count > 0 && changes.Peek().Number <= mark.Value.Number + 1;
            var concerned = known
                ? changes.Where(change => change.Number > mark!.Value.Number).Select(change => change.UserId).Distinct()
                : users.Where(user => mark is not null || user.Value.Shown.Presence != PresenceState.Offline).Select(user => user.Key);
            return (now, [.. concerned.Where(users.ContainsKey).Select(userId => (userId, users[userId].Derive(Now)))]);
        }
    }

    /// <summary>Those who changed after a number of this process, and the newest number.</summary>
    public (long Number, IReadOnlyList<string> Users) ListChanged(long after)
    {
        lock (gate)
            return (number, number == after ? [] : [.. changes.Where(change => change.Number > after).Select(change => change.UserId).Distinct()]);
    }

    long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    void Look(string userId, User user)
    {
        var state = user.Derive(Now);
        if (state.Presence == user.Shown.Presence && state.StatusMessage == user.Shown.StatusMessage && (user.Shown.CurrentlyActive || !state.CurrentlyActive))
        {
            user.Shown = user.Shown with { CurrentlyActive = state.CurrentlyActive };
            return;
        }
        (user.Shown, user.ChangedAt) = (state, Now);
        changes.Enqueue((++number, userId));
        if (changes.Count > MostChanges)
            changes.Dequeue();
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
            var wish = Wishes.Values.MaxBy(PresenceState.Rank) ?? PresenceState.Offline;
            var rested = now - LastActive;
            // of users of other servers these say themselves when one is idle
            if (wish == PresenceState.Online && RemoteAt == 0 && rested > IdleAfter.TotalMilliseconds)
                wish = Idle;
            return new PresenceState(wish, StatusMessage, LastActive, wish is PresenceState.Online or PresenceState.Busy && rested < ActiveFor.TotalMilliseconds);
        }
    }
}
