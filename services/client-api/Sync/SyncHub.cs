using Matrix.ClientApi.Sync.Devices;
using Matrix.Hosting.Overload;
using Matrix.Replication;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync;

/// <summary>
/// Where requests meet the log: gives them the user's rooms as they are now, and lets them wait for what <see cref="SyncNews"/> tells. The rooms of a user are read from
/// Postgres once and then kept by the log.
/// </summary>
sealed class SyncHub(SyncUsers users, SyncNews news, LogFollower follower, SyncStore store, EventCache events, SharedRooms shared, Caches caches, TimeProvider time)
    : IHostedService, IDisposable
{
    static readonly TimeSpan Forget = TimeSpan.FromMinutes(10);

    readonly Lock gate = users.Gate;
    readonly long limit = caches.Scale("sync_users", SyncUsersLimit.Bytes);
    int added;
    ITimer? sweep;

    /// <inheritdoc cref="SyncUsers.Position"/>
    public LogPosition Position => users.Position;

    public Task StartAsync(CancellationToken ct)
    {
        sweep = time.CreateTimer(_ => Sweep(), null, Forget, Forget / 10);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken ct)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose() => sweep?.Dispose();

    /// <summary>Begins a request of a user. Give the user back with <see cref="Release"/>.</summary>
    public async Task<SyncUser> Acquire(string userId, CancellationToken ct)
    {
        SyncUser user;
        Task loaded;
        lock (gate)
        {
            user = users.GetOrAdd(userId);
            if (user.Uses++ == 0 && user.Loaded is null && ++added % SyncUsersLimit.Every == 0)
                Sweep();
            if (user.Loaded is null || user.Loaded.IsFaulted || user.Loaded.IsCanceled)
                user.Loaded = Load(user);
            loaded = user.Loaded;
        }
        try
        {
            await loaded.WaitAsync(ct);
            return user;
        }
        catch
        {
            Release(user);
            throw;
        }
    }

    public void Release(SyncUser user)
    {
        lock (gate)
        {
            user.Uses--;
            user.LastUsed = time.GetUtcNow();
        }
    }

    /// <summary>The user's rooms as they are now.</summary>
    public async ValueTask<UserRooms> GetRooms(SyncUser user, CancellationToken ct)
    {
        while (true)
        {
            LogEntry[] unread;
            lock (gate)
            {
                if (user.Unread.Count == 0)
                    return new UserRooms(user.Rooms, users.Position);
                unread = [.. user.Unread];
            }
            var changes = await Read(unread, ct);
            lock (gate)
            {
                user.Apply(changes);
                foreach (var change in changes)
                    users.Index(user, change.RoomNid);
                Share(user);
            }
        }
    }

    /// <summary>Looks at what is kept of a user, or changes it, under the lock that entries are told under. Quick: it holds up the log.</summary>
    public T Read<T>(Func<LogPosition, T> read)
    {
        lock (gate)
            return read(users.Position);
    }

    /// <summary>
    /// Completes when an entry above <paramref name="seen"/> concerns the user or the device, or typing after <paramref name="seenTyping"/>
    /// or presence after <paramref name="seenPresence"/>; at once when one already did.
    /// </summary>
    public async Task<bool> WaitBeyond(SyncUser user, string deviceId, LogPosition seen, long seenTyping, long seenPresence, TimeSpan timeout, CancellationToken ct)
    {
        Task waiter;
        lock (gate)
        {
            if (user.TouchedOf(deviceId) > seen || user.TouchedTyping > seenTyping || user.TouchedPresence > seenPresence)
                return true;
            waiter = user.AddWaiter(deviceId, seen);
        }
        Work.OnlyWaits();
        try
        {
            await waiter.WaitAsync(timeout, time, ct);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
        finally
        {
            lock (gate)
                user.RemoveWaiter(waiter);
        }
    }

    async Task Load(SyncUser user)
    {
        await news.Begun;
        var rooms = await store.ListMemberships(user.UserId, CancellationToken.None);
        // The rows may be ahead of what the follower has told us: catch up with them first.
        var newest = rooms.Count == 0 ? LogPosition.Start : new LogPosition(rooms.Max(room => room.Position));
        await follower.WaitFor(newest, CancellationToken.None);
        lock (gate)
        {
            user.Load(rooms);
            foreach (var room in rooms)
                users.Index(user, room.RoomNid);
            Share(user);
        }
    }

    void Share(SyncUser user)
    {
        if (user.Unread.Count == 0)
            shared.Set(user.UserId, [.. user.Rooms.Values.Where(room => room.Membership == "join").Select(room => room.RoomNid)]);
    }

    async Task<IReadOnlyList<UserMembership>> Read(LogEntry[] entries, CancellationToken ct)
    {
        var batch = new EventBatch();
        await events.Load(batch, [.. entries.Select(entry => entry.EventNid!.Value)], ct);
        return [.. entries.Select(entry => batch.Find(entry.EventNid!.Value) is { } e
            ? new UserMembership(e.RoomNid, e.RoomId, e.Membership ?? "leave", e.Nid, entry.Position.Value)
            : new UserMembership(entry.RoomNid!.Value, "", "leave", entry.EventNid!.Value, entry.Position.Value))];
    }

    void Sweep()
    {
        lock (gate)
        {
            foreach (var user in SyncUsersLimit.ToForget(users.All, time.GetUtcNow() - Forget, limit))
                users.Remove(user);
        }
    }
}
