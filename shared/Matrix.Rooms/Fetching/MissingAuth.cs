using System.Collections.Concurrent;
using Matrix.Protocol;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Fetching;

/// <summary>
/// Fetches auth events as outliers. Only those are kept whose own auth events are here too: what can never be judged would only be in the way.
/// </summary>
sealed class MissingAuth(RoomReceiver receiver, EventRequests requests, EventStore events, FetchingOptions options)
{
    /// <summary>So few are fetched one by one, so many steps back; what is more comes as the whole chain.</summary>
    const int Few = 5, FewSteps = 3;

    /// <summary>What the events of a page cite besides each other, at most.</summary>
    const int MostOfPage = 100, AtOnce = 8;

    /// <param name="of">The event that cites them.</param>
    public async Task Fetch(Room room, EventId of, IReadOnlyCollection<EventId> missing, ServerName server, CancellationToken ct)
    {
        var fetched = new Dictionary<EventId, Pdu>();
        IReadOnlyCollection<EventId> wanted = missing;
        for (var step = 0; step < FewSteps && wanted.Count is > 0 and <= Few; step++)
        {
            foreach (var pdu in (await GetEach(room, wanted, server, ct)).OfType<Pdu>())
                fetched[pdu.EventId] = pdu;
            wanted = await ListUnknown(room, fetched, ct);
        }
        if (wanted.Count > 0)
        {
            foreach (var pdu in await requests.GetAuthChain(room, server, of, options.MostAuthEvents, ct))
                fetched.TryAdd(pdu.EventId, pdu);
        }
        await Store(room, fetched, ct);
    }

    /// <summary>Brings what these events cite; the state events among them become outliers too, since they cite each other.</summary>
    public async Task FetchFor(Room room, IReadOnlyDictionary<EventId, Pdu> pdus, ServerName server, CancellationToken ct)
    {
        var fetched = pdus.Values.Where(pdu => pdu.IsState).ToDictionary(pdu => pdu.EventId);
        var wanted = pdus.Values.SelectMany(pdu => pdu.AuthEvents).Where(id => !fetched.ContainsKey(id)).ToHashSet();
        wanted.ExceptWith(await events.ListKnown(room.RoomNid, wanted, ct));
        for (var step = 0; step < FewSteps && wanted.Count > 0; step++)
        {
            foreach (var pdu in (await GetEach(room, wanted.Take(MostOfPage), server, ct)).OfType<Pdu>())
                fetched[pdu.EventId] = pdu;
            wanted = [.. await ListUnknown(room, fetched, ct)];
        }
        await Store(room, fetched, ct);
    }

    /// <summary>One by one, some at a time.</summary>
    public async Task<IReadOnlyCollection<Pdu?>> GetEach(Room room, IEnumerable<EventId> ids, ServerName server, CancellationToken ct)
    {
        var found = new ConcurrentQueue<Pdu?>();
        await Parallel.ForEachAsync(ids, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = ct },
            async (id, token) => found.Enqueue(await requests.GetEvent(room, server, id, token)));
        return found;
    }

    /// <summary>Keeps those of the events whose auth chains are here or among them.</summary>
    public async Task Store(Room room, IReadOnlyDictionary<EventId, Pdu> fetched, CancellationToken ct)
    {
        if (fetched.Count == 0)
            return;
        var cited = fetched.Values.SelectMany(pdu => pdu.AuthEvents).Where(id => !fetched.ContainsKey(id)).ToHashSet();
        var closed = Closed(fetched, await events.ListKnown(room.RoomNid, cited, ct));
        foreach (var some in closed.Chunk(1000))
            await receiver.StoreOutliers(room, some, ct);
    }

    async Task<IReadOnlyCollection<EventId>> ListUnknown(Room room, Dictionary<EventId, Pdu> fetched, CancellationToken ct)
    {
        var cited = fetched.Values.SelectMany(pdu => pdu.AuthEvents).Where(id => !fetched.ContainsKey(id)).ToHashSet();
        cited.ExceptWith(await events.ListKnown(room.RoomNid, cited, ct));
        return cited;
    }

    /// <summary>Those that lack nothing, each after those that it cites. In a cycle every event lacks something.</summary>
    internal static List<Pdu> Closed(IReadOnlyDictionary<EventId, Pdu> pdus, IReadOnlySet<EventId> known)
    {
        var open = new Dictionary<EventId, int>(pdus.Count);
        var citing = pdus.Values.SelectMany(pdu => pdu.AuthEvents.Distinct().Select(cited => (cited, pdu))).ToLookup(e => e.cited, e => e.pdu);
        var ready = new Queue<Pdu>();
        foreach (var pdu in pdus.Values)
        {
            if ((open[pdu.EventId] = pdu.AuthEvents.Distinct().Count(id => !known.Contains(id))) == 0)
                ready.Enqueue(pdu);
        }
        var closed = new List<Pdu>(pdus.Count);
        while (ready.TryDequeue(out var pdu))
        {
            closed.Add(pdu);
            foreach (var next in citing[pdu.EventId])
            {
                if (--open[next.EventId] == 0)
                    ready.Enqueue(next);
            }
        }
        return closed;
    }
}
