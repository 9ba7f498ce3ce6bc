using System.Text.Json;
using Matrix.ClientApi.Sync.Devices;
using Matrix.Replication;
using Matrix.Rooms.Ephemeral;
using Matrix.Storage;
using Matrix.Storage.Keys;
using Npgsql;

namespace Matrix.ClientApi.Sync.Presence;

/// <summary>
/// Presence, from the requests at this process to the clients at all of them. Once a second a process tells the others what changed of the users who
/// sync at it, in one message, and wakes the clients whom changes concern; a client is woken for presence alone once in a while at most. Nothing is
/// stored: a process that begins asks the others, and what is lost is said again when it changes.
/// </summary>
sealed partial class PresenceExchange(
    EphemeralChannel channel, PresenceBoard board, LocalPresence local, PresenceIndex index, SyncNews news, SharedRooms shared, DeviceListStore devices, PresenceOptions options,
    TimeProvider time, ILogger<PresenceExchange> logger) : IHostedService, IDisposable
{
    const int MostPerMessage = 500;

    static readonly TimeSpan Every = TimeSpan.FromSeconds(1), AliveEvery = TimeSpan.FromSeconds(10), DeadAfter = TimeSpan.FromSeconds(35);

    readonly Lock gate = new();
    readonly Dictionary<string, long> processes = new(StringComparer.Ordinal);
    readonly HashSet<string> changed = new(StringComparer.Ordinal); // and not published yet
    ITimer? clock;
    long toldAt;
    int asked;
    int ticking;

    public Task StartAsync(CancellationToken ct)
    {
        if (!options.Enabled)
            return Task.CompletedTask;
        channel.Subscribe(Receive);
        clock = time.CreateTimer(_ => _ = Tick(), null, time.UntilBeat(Every), Every);
        _ = Ask();
        return Task.CompletedTask;
    }

    // Not before the answers would be heard.
    async Task Ask()
    {
        await channel.Listening;
        Tell(new PresenceNews(PresenceNews.KindName, board.Process, true, []));
    }

    public Task StopAsync(CancellationToken ct)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose() => clock?.Dispose();

    /// <summary>A device asks for news, which shows that it is there; until what is returned is disposed of.</summary>
    /// <param name="wish">What it asks to be shown; offline: nothing.</param>
    public IDisposable? Begin(string userId, string deviceId, string wish)
    {
        if (!options.Enabled || wish == PresenceState.Offline)
            return null;
        local.SyncBegan(userId, deviceId, wish);
        return new Ongoing(local, userId, deviceId);
    }

    /// <summary>The user has just done something that others may see.</summary>
    public void Active(string userId)
    {
        if (options.Enabled)
            local.Active(userId);
    }

    async Task Tick()
    {
        if (Interlocked.Exchange(ref ticking, 1) == 1)
            return;
        try
        {
            local.Tick();
            ForgetTheDead();
            foreach (var gone in board.Tick())
                index.Forget(gone);
            var isAsked = Interlocked.Exchange(ref asked, 0) == 1;
            if (isAsked)
                local.TellAll();
            var untold = local.TakeUntold();
            foreach (var part in untold.Chunk(MostPerMessage))
                Tell(new PresenceNews(PresenceNews.KindName, board.Process, false, part));
            if (!local.IsEmpty && time.GetElapsedTime(toldAt) > AliveEvery)
                Tell(new PresenceNews(PresenceNews.KindName, board.Process, false, []));
            await Wake([.. untold.Select(fact => fact.UserId)], isAsked);
        }
        catch (Exception e) when (e is NpgsqlException or OperationCanceledException or ObjectDisposedException)
        {
            NotTold(e.Message);
        }
        finally
        {
            Volatile.Write(ref ticking, 0);
        }
    }

    // Clients of those who share a room with somebody who changed; and other servers, by the process where the user is or was.
    async Task Wake(HashSet<string> told, bool isAsked)
    {
        changed.UnionWith(board.TakeChanged());
        await FindMembers();
        var (number, rooms, own) = index.Publish(changed, await shared.Get([.. changed.Union(index.TakeMoved())], CancellationToken.None));
        news.PresenceChanged(own, rooms);
        foreach (var part in changed.Where(user => told.Contains(user) || local.Has(user)).Chunk(MostPerMessage))
            channel.Tell(JsonSerializer.SerializeToUtf8Bytes(new PresenceShown(PresenceShown.KindName, [.. part.Select(Shown)])));
        foreach (var part in isAsked ? told.Except(changed).Chunk(MostPerMessage) : [])
            channel.Tell(JsonSerializer.SerializeToUtf8Bytes(new PresenceShown(PresenceShown.KindName, [.. part.Select(Shown)], IsAgain: true)));
        changed.Clear();
        news.WakeForPresence(number);
    }

    // Of a room that this server has come to the log does not name the members.
    async Task FindMembers()
    {
        var (rooms, users) = index.TakeAdopted();
        if (users.Length == 0)
            return;
        try
        {
            foreach (var room in rooms)
            {
                foreach (var member in await devices.ListMembers(room, users, CancellationToken.None))
                    index.Moved(member);
            }
        }
        catch (NpgsqlException)
        {
            // the next beat asks again
            foreach (var room in rooms)
                index.Adopted(room);
            throw;
        }
    }

    ShownPresence Shown(string userId)
    {
        var state = board.Find(userId);
        return new ShownPresence(userId, state.Presence, state.StatusMessage, state.LastActive, state.CurrentlyActive);
    }

    void ForgetTheDead()
    {
        List<string> dead;
        lock (gate)
        {
            dead = [.. processes.Where(process => time.GetElapsedTime(process.Value) > DeadAfter).Select(process => process.Key)];
            dead.ForEach(process => processes.Remove(process));
        }
        dead.ForEach(board.Forget);
    }

    void Tell(PresenceNews news)
    {
        toldAt = time.GetTimestamp();
        channel.Tell(JsonSerializer.SerializeToUtf8Bytes(news));
    }

    void Receive(ReadOnlyMemory<byte> message)
    {
        if (!message.Span.StartsWith("{\"Kind\":\"presence\","u8) || JsonSerializer.Deserialize<PresenceNews>(message.Span) is not { } news || news.Process == board.Process)
            return;
        if (!news.Process.StartsWith(PresenceNews.OfServer, StringComparison.Ordinal))
        {
            lock (gate)
                processes[news.Process] = time.GetTimestamp();
        }
        if (news.IsNew)
            Volatile.Write(ref asked, 1);
        foreach (var fact in news.Facts)
            board.Apply(news.Process, fact);
    }

    sealed class Ongoing(LocalPresence local, string userId, string deviceId) : IDisposable
    {
        public void Dispose() => local.SyncEnded(userId, deviceId);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Presence was not told: {Reason}")]
    partial void NotTold(string reason);
}
