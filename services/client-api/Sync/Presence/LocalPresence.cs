using Matrix.Rooms.Ephemeral;

namespace Matrix.ClientApi.Sync.Presence;

/// <summary>
/// The users who sync at this process, by device: what the others have to be told of them. A device is gone when it has not asked for a while.
/// </summary>
sealed class LocalPresence(PresenceBoard board, TimeProvider time)
{
    public static readonly TimeSpan GoneAfter = TimeSpan.FromSeconds(30);

    static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(3);

    readonly Lock gate = new();
    readonly Dictionary<string, User> users = new(StringComparer.Ordinal);
    readonly HashSet<string> untold = new(StringComparer.Ordinal);
    long lookedAt;

    /// <summary>Does anybody sync here?</summary>
    public bool IsEmpty
    {
        get
        {
            lock (gate)
                return users.Count == 0;
        }
    }

    /// <summary>Does the user sync here?</summary>
    public bool Has(string userId)
    {
        lock (gate)
            return users.ContainsKey(userId);
    }

    /// <param name="wish">What the device asks to be shown.</param>
    public void SyncBegan(string userId, string deviceId, string wish)
    {
        lock (gate)
        {
            var device = GetDevice(userId, deviceId);
            device.Syncs++;
            // busy is set by hand, and is not undone by asking for news
            if (device.Wish != PresenceState.Busy)
                Ask(userId, device, wish);
            device.SeenAt = time.GetTimestamp();
        }
    }

    public void SyncEnded(string userId, string deviceId)
    {
        lock (gate)
        {
            if (!users.TryGetValue(userId, out var user) || !user.Devices.TryGetValue(deviceId, out var device))
                return;
            device.Syncs--;
            device.SeenAt = time.GetTimestamp();
        }
    }

    /// <summary>The user says so.</summary>
    public void Set(string userId, string deviceId, string presence, string? statusMessage)
    {
        lock (gate)
        {
            var device = GetDevice(userId, deviceId);
            device.SeenAt = time.GetTimestamp();
            Ask(userId, device, presence);
            (users[userId].StatusMessage, users[userId].StatusAt) = (statusMessage, Now);
            users[userId].LastActive = Now;
            Tell(userId, users[userId]);
        }
    }

    /// <summary>The user has just done something. Told once in a while.</summary>
    public void Active(string userId)
    {
        lock (gate)
        {
            if (!users.TryGetValue(userId, out var user) || Now - user.LastActive < PresenceBoard.ActiveFor.TotalMilliseconds / 2)
                return;
            user.LastActive = Now;
            Tell(userId, user);
        }
    }

    /// <summary>Devices that have not asked for a while are gone.</summary>
    public void Tick()
    {
        lock (gate)
        {
            if (time.GetElapsedTime(lookedAt) < LookEvery)
                return;
            lookedAt = time.GetTimestamp();
            foreach (var (userId, user) in users)
            {
                var before = user.Devices.Count;
                foreach (var (deviceId, device) in user.Devices)
                {
                    if (device.Syncs <= 0 && time.GetElapsedTime(device.SeenAt) > GoneAfter)
                        user.Devices.Remove(deviceId);
                }
                if (user.Devices.Count < before)
                    Tell(userId, user);
                if (user.Devices.Count == 0)
                    users.Remove(userId);
            }
        }
    }

    /// <summary>What the other processes have not been told, as it is now.</summary>
    public IReadOnlyList<PresenceFact> TakeUntold()
    {
        lock (gate)
        {
            PresenceFact[] facts = [.. untold.Select(userId => FactOf(userId, users.GetValueOrDefault(userId)))];
            untold.Clear();
            return facts;
        }
    }

    /// <summary>A process has begun that knows nothing.</summary>
    public void TellAll()
    {
        lock (gate)
            untold.UnionWith(users.Keys);
    }

    long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    Device GetDevice(string userId, string deviceId)
    {
        if (!users.TryGetValue(userId, out var user))
            users.Add(userId, user = new User());
        if (!user.Devices.TryGetValue(deviceId, out var device))
            user.Devices.Add(deviceId, device = new Device());
        return device;
    }

    void Ask(string userId, Device device, string wish)
    {
        if (device.Wish == wish)
            return;
        device.Wish = wish;
        if (wish == PresenceState.Online)
            users[userId].LastActive = Now;
        Tell(userId, users[userId]);
    }

    // This process knows at once, the others with the next message.
    void Tell(string userId, User user)
    {
        untold.Add(userId);
        board.Apply(board.Process, FactOf(userId, user));
    }

    PresenceFact FactOf(string userId, User? user)
    {
        var wish = user?.Devices.Values.Select(device => device.Wish).MaxBy(PresenceState.Rank) ?? PresenceState.Offline;
        var (message, at) = user is { StatusAt: > 0 } ? (user.StatusMessage, user.StatusAt) : board.FindStatus(userId);
        return new PresenceFact(userId, wish, message, at, user?.LastActive ?? 0);
    }

    sealed class User
    {
        public Dictionary<string, Device> Devices { get; } = new(StringComparer.Ordinal);

        public string? StatusMessage { get; set; }

        public long StatusAt { get; set; }

        public long LastActive { get; set; }
    }

    sealed class Device
    {
        public string Wish { get; set; } = PresenceState.Offline;

        public int Syncs { get; set; }

        public long SeenAt { get; set; }
    }
}
