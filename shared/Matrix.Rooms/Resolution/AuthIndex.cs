using BitFaster.Caching.Lru;
using Matrix.Storage.Caching;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Resolution;

/// <summary>An event's new node in the index, to be stored with the event.</summary>
/// <param name="Cites">Of the events that it cites those that are in the auth chain of no other of them.</param>
sealed record AuthPlacement(AuthNode Node, IReadOnlyList<long> Cites);

/// <summary>An event that another one cites.</summary>
readonly record struct CitedEvent(long EventNid, string Type, string? StateKey);

/// <summary>
/// The auth chains of all state events, as an index. An event goes on the chain of the event that it replaces, if it cites that, and if it is the first
/// to do so; otherwise it begins a chain. So a chain has one place in the state, and an event reaches few chains, however long they are.
/// Nodes never change, so nothing is ever invalidated.
/// </summary>
public sealed class AuthIndex(AuthIndexStore store, Caches caches)
{
    readonly BoundedCache<long, AuthNode> nodes = caches.Create<long, AuthNode>("auth_index", 8 << 20, (_, node) => 72 + node.Weight);

    /// <summary>Places that another event turned out to have.</summary>
    readonly ConcurrentLru<AuthPlace, bool> taken = new(1_000);

    /// <summary>The nodes of these events; those that are not in the index are left out.</summary>
    internal async ValueTask<IReadOnlyDictionary<long, AuthNode>> Find(IReadOnlyCollection<long> eventNids, CancellationToken ct)
    {
        var found = new Dictionary<long, AuthNode>(eventNids.Count);
        List<long>? missing = null;
        foreach (var nid in eventNids)
        {
            if (nodes.TryGet(nid, out var node))
                found[nid] = node;
            else
                (missing ??= []).Add(nid);
        }
        if (missing is null)
            return found;
        foreach (var node in await Read(await store.List(missing, ct), ct))
            found[node.EventNid] = node;
        return found;
    }

    /// <summary>The nodes at these places.</summary>
    internal async ValueTask<IReadOnlyCollection<AuthNode>> FindAt(IReadOnlyCollection<AuthPlace> places, CancellationToken ct) =>
        await Read(await store.ListAt(places, ct), ct);

    /// <summary>Where a new event stands; null if one that it cites is not in the index yet.</summary>
    internal async ValueTask<AuthPlacement?> Place(
        long eventNid, string type, string stateKey, IReadOnlyCollection<CitedEvent> cited, CancellationToken ct)
    {
        var known = await Find([.. cited.Select(c => c.EventNid)], ct);
        if (cited.Any(c => !known.ContainsKey(c.EventNid)))
            return null;
        AuthNode? predecessor = null;
        foreach (var c in cited)
        {
            if (c.Type == type && c.StateKey == stateKey)
                predecessor = known[c.EventNid];
        }
        if (predecessor is { Place: var last } && taken.TryGet(last with { Sequence = last.Sequence + 1 }, out _))
            predecessor = null;
        AuthNode[] all = [.. known.Values];
        var node = AuthNode.Create(eventNid, predecessor, all);
        nodes.Set(eventNid, node);
        return new AuthPlacement(node, [.. all.Where(n => !all.Any(other => other != n && other.Reaches(n.Place))).Select(n => n.EventNid)]);
    }

    /// <summary>Storing these failed because another event has the place of one: they are to begin chains when they are placed again.</summary>
    internal void Contested(IEnumerable<AuthPlacement> placements)
    {
        foreach (var placement in placements.Where(p => p.Node.Place.Sequence > 1))
            taken.AddOrUpdate(placement.Node.Place, true);
    }

    /// <summary>Storing these failed.</summary>
    internal void Forget(IEnumerable<long> eventNids)
    {
        foreach (var nid in eventNids)
            nodes.Remove(nid);
    }

    async ValueTask<IReadOnlyCollection<AuthNode>> Read(IReadOnlyList<AuthIndexRow> rows, CancellationToken ct)
    {
        var bases = rows.Select(row => row.BaseNid).OfType<long>().ToHashSet();
        var known = bases.Count > 0 ? await Find(bases, ct) : new Dictionary<long, AuthNode>();
        var read = new List<AuthNode>(rows.Count);
        foreach (var row in rows)
        {
            var node = AuthNode.Read(row, row.BaseNid is { } nid ? known[nid] : null);
            nodes.Set(node.EventNid, node);
            read.Add(node);
        }
        return read;
    }
}
