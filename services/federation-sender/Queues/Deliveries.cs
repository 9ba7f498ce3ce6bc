using System.Collections.Concurrent;
using Matrix.FederationSender.Sharding;
using Matrix.Protocol;
using Microsoft.Extensions.Options;

namespace Matrix.FederationSender.Queues;

/// <summary>The destinations of the shards that this replica holds: what is handed to them, and which of them are known. <see cref="DestinationDrain"/> sends it.</summary>
sealed class Deliveries(DestinationDrain drain, IOptions<SenderOptions> options, TimeProvider time)
{
    readonly ConcurrentDictionary<ServerName, Destination> destinations = new();
    readonly Lock membership = new(); // of what is in destinations and shards: nothing is handed to a destination that is just being forgotten
    readonly HeldShard?[] shards = new HeldShard?[Shard.Count];

    /// <summary>Every entry of the log up to here has been handed to the destinations that it concerns.</summary>
    public long Routed
    {
        get => drain.Routed;
        set => drain.Routed = value;
    }

    public IEnumerable<Destination> All => destinations.Values;

    public IEnumerable<HeldShard> Held => shards.OfType<HeldShard>();

    public bool Holds(HeldShard shard) => shards[shard.Number] == shard;

    public bool Holds(ServerName server) => shards[Shard.Of(server)] is not null;

    public Destination? Find(ServerName server) => destinations.GetValueOrDefault(server);

    /// <summary>Adds a shard with those of its destinations that lag or fail; between two entries of the log.</summary>
    public void Take(HeldShard shard, IEnumerable<Destination> known)
    {
        Destination[] restored = [.. known];
        lock (membership)
        {
            foreach (var destination in restored)
                destinations[destination.Server] = destination;
            shards[shard.Number] = shard; // from now on its position may be moved past what they have not got
        }
        foreach (var destination in restored)
            drain.Begin(destination);
    }

    /// <summary>Forgets a shard. What is under way there ends.</summary>
    public void Drop(HeldShard shard)
    {
        lock (membership)
        {
            if (shards[shard.Number] != shard)
                return;
            shards[shard.Number] = null;
            foreach (var destination in destinations.Values.Where(destination => destination.Holder == shard))
            {
                destination.RetryBy(null);
                destinations.TryRemove(destination.Server, out _);
            }
        }
    }

    public void Add(ServerName server, OutgoingPdu pdu) => With(server, destination => destination.Add(pdu, options.Value.MostQueued, time.GetTimestamp()));

    public void Add(ServerName server, OutgoingEdu edu) => With(server, destination => destination.Add(edu, time.GetTimestamp()));

    public void AddMessages(ServerName server) => With(server, destination => destination.AddMessages());

    /// <summary>The other server is there: what waits for it need not wait longer.</summary>
    public void HeardFrom(ServerName server)
    {
        if (Find(server) is { Failing: not null } destination)
            drain.HeardFrom(destination);
    }

    /// <summary>Forgets destinations for which nothing waits.</summary>
    public void Sweep()
    {
        lock (membership)
        {
            foreach (var destination in destinations.Values.Where(destination => destination.IsIdle))
                destinations.TryRemove(destination.Server, out _);
        }
    }

    void With(ServerName server, Func<Destination, bool> add)
    {
        lock (membership)
        {
            if (shards[Shard.Of(server)] is not { } shard)
                return;
            var destination = destinations.GetOrAdd(server, static (name, arg) => new Destination(name, arg.Holder, arg.Routed), (Holder: shard, Routed));
            if (add(destination))
                drain.Run(destination);
        }
    }
}
