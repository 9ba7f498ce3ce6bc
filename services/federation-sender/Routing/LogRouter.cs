using Matrix.Federation;
using Matrix.FederationSender.Queues;
using Matrix.FederationSender.Sharding;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Storage.Federation;
using Npgsql;
using EventId = Matrix.Protocol.EventId;

namespace Matrix.FederationSender.Routing;

/// <summary>
/// Goes through the log and hands what concerns other servers to the destinations of the shards held here; between two entries shards are taken over. One
/// loop does both, so a destination hears of every entry after the position at which its shard was taken, and what came before is read from the database.
/// </summary>
sealed partial class LogRouter(
    LogFollower follower, LogReader reader, Deliveries deliveries, RoomDestinations rooms, OutgoingEventStore events, EduRouter edus,
    Ephemera ephemera, DestinationStore store,
    ServerSigningKey own, TimeProvider time, ILogger<LogRouter> logger) : IDisposable
{
    const int PageSize = 1000;
    static readonly TimeSpan Again = TimeSpan.FromSeconds(1);

    readonly string suffix = $":{own.ServerName}";
    readonly SemaphoreSlim signal = new(0);
    readonly Lock gate = new();
    readonly List<(HeldShard[] Shards, TaskCompletionSource Done)> wanted = [];

    public void Dispose() => signal.Dispose();

    /// <summary>Makes a shard part of what is routed, with what its destinations have missed.</summary>
    public Task TakeOver(HeldShard[] shards, CancellationToken ct)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (gate)
            wanted.Add((shards, done));
        signal.Release();
        return done.Task.WaitAsync(ct);
    }

    public async Task Run(CancellationToken ct)
    {
        await follower.Started.WaitAsync(ct);
        deliveries.Routed = follower.Position.Value;
        using var subscription = follower.Subscribe(_ => Wake());
        ephemera.Begin(Wake);
        while (true)
        {
            await signal.WaitAsync(ct);
            try
            {
                await TakeOverWanted(ct);
                await RouteNew(ct);
                await ephemera.Route(ct);
            }
            catch (NpgsqlException e)
            {
                NotRouted(deliveries.Routed, e.Message);
                await Task.Delay(Again, time, ct);
                signal.Release();
            }
        }
    }

    void Wake()
    {
        if (signal.CurrentCount == 0)
            signal.Release();
    }

    async Task TakeOverWanted(CancellationToken ct)
    {
        while (true)
        {
            (HeldShard[] Shards, TaskCompletionSource Done) next;
            lock (gate)
            {
                if (wanted.Count == 0)
                    return;
                next = wanted[0];
            }
            await Adopt(next.Shards, ct);
            lock (gate)
                wanted.RemoveAt(0);
            next.Done.TrySetResult();
        }
    }

    async Task Adopt(HeldShard[] taken, CancellationToken ct)
    {
        await RouteNew(ct);
        var routed = deliveries.Routed;
        taken = [.. taken.Where(shard => !deliveries.Holds(shard))]; // an earlier try may have come so far
        if (taken.Length == 0)
            return;
        foreach (var shard in taken)
            shard.Position = await store.Take(shard.Number, shard.Fence, ct);
        var concerned = (await store.ListConcerned(taken.Min(shard => shard.Position), routed, ct)).Select(server => ServerName.Parse(server)).ToLookup(Shard.Of);
        var (destinations, from) = (0, taken.Min(shard => shard.Position));
        foreach (var shard in taken)
        {
            var known = (await store.List(shard.Number, ct)).Select(row => Destination.Restore(row, shard, routed)).ToDictionary(destination => destination.Server);
            foreach (var server in concerned[shard.Number].Where(server => server != own.ServerName))
            {
                if (!known.TryGetValue(server, out var destination))
                    known[server] = Destination.After(server, shard, shard.Position, routed);
                else
                    destination.LagAtLeastFrom(shard.Position);
            }
            deliveries.Take(shard, known.Values);
            destinations += known.Count;
        }
        Taken(taken.Length, from, routed, destinations);
        await ephemera.TakenOver(taken, concerned.SelectMany(servers => servers).ToHashSet(), ct);
    }

    async Task RouteNew(CancellationToken ct)
    {
        while (true)
        {
            var after = new LogPosition(deliveries.Routed);
            if (!follower.Recent.TryRead(after, follower.Position, out var entries))
                entries = await reader.ReadAfter(after, PageSize, ct);
            if (entries.Count == 0)
                return;
            // also while nothing is held: what is remembered of rooms is used again later.
            // What changes the lists is in the same rows of the database that they are read from, so all of it may be applied first
            foreach (var entry in entries)
                rooms.Apply(entry);
            if (deliveries.Held.Any())
                await Route(entries, ct);
            deliveries.Routed = entries[^1].Position.Value;
        }
    }

    async Task Route(IReadOnlyList<LogEntry> entries, CancellationToken ct)
    {
        long[] touched = [.. entries.Where(entry => entry.Kind is LogKind.Event or LogKind.Receipt).Select(entry => entry.RoomNid).OfType<long>().Distinct()];
        var lists = await rooms.Get(touched, deliveries.Routed, ct);
        long[] wantedEvents =
        [
            .. entries.Where(entry => entry is { Kind: LogKind.Event, RoomNid: { } room } && (IsOfOther(entry) || IsOurs(lists, room)))
                .Select(entry => entry.EventNid).OfType<long>(),
        ];
        var outgoing = wantedEvents.Length == 0 ? [] : await events.List(wantedEvents, suffix, ct);
        var told = await edus.Read(entries, lists, ct);
        // from here on nothing fails: each destination is handed everything once
        foreach (var e in outgoing)
            Hand(e, lists.GetValueOrDefault(e.RoomNid) ?? []);
        edus.Hand(told);
    }

    bool IsOfOther(LogEntry entry) => entry is { Key: EventTypes.Member, UserId: { } user } && !user.EndsWith(suffix, StringComparison.Ordinal);

    bool IsOurs(Dictionary<long, RoomDestination[]> lists, long room) =>
        lists.TryGetValue(room, out var servers) && Array.Exists(servers, server => deliveries.Holds(server.Server));

    void Hand(OutgoingEvent e, RoomDestination[] servers)
    {
        OutgoingPdu? pdu = null;
        var sender = UserId.Parse(e.Sender).Server;
        foreach (var server in servers)
        {
            if (server.Gets(e.Position) && server.Server != sender)
                deliveries.Add(server.Server, pdu ??= OutgoingPdu.Of(e));
        }
        // who was invited or has knocked, and is turned away, is in no list
        if (e.Type == EventTypes.Member && UserId.TryParse(e.StateKey, out var target) && target.Server != own.ServerName && target.Server != sender
            && !Array.Exists(servers, server => server.Server == target.Server && server.Gets(e.Position))
            && Pdu.FromStored(EventId.Parse(e.EventId), e.Json, RoomVersions.Find(e.Version)!).Membership is "leave" or "ban")
            deliveries.Add(target.Server, pdu ?? OutgoingPdu.Of(e));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The log after {Position} waits to be handed to destinations: {Reason}")]
    partial void NotRouted(long position, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Took over {Shards} shards of destinations, which are at {Position} of {Routed}; {Destinations} destinations have something to catch up with")]
    partial void Taken(int shards, long position, long routed, int destinations);
}
