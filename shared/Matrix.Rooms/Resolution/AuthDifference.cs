using Matrix.Protocol;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Resolution;

/// <summary>
/// The auth difference of states of which only the differing parts are known. What each part reaches is one number a chain; between the lowest and the
/// highest of them lies the difference, except for what the common part of the states reaches too. That part is never enumerated: whoever reaches an
/// event is among those that cite it, directly or not, and what the common state has at their places decides.
/// </summary>
/// <param name="findCommon">The events at those of the places at which the states agree.</param>
/// <param name="keysOf">The places of these events.</param>
sealed class AuthDifference(
    AuthIndex index, AuthIndexStore store, Func<IReadOnlyCollection<StateKeyPair>, ValueTask<IReadOnlyCollection<long>>> findCommon,
    Func<IReadOnlyCollection<long>, ValueTask<IReadOnlyCollection<StateKeyPair>>> keysOf)
{
    const int CitingAtOnce = 100;

    /// <summary>Where an event of the room's power is likely to be reached from.</summary>
    static readonly StateKeyPair[] Likely =
        [new(EventTypes.Create, ""), new(EventTypes.PowerLevels, ""), new(EventTypes.JoinRules, ""), new(EventTypes.HistoryVisibility, "")];

    readonly Dictionary<long, (int Common, int Highest)> open = [];
    readonly HashSet<StateKeyPair> looked = [];

    /// <param name="differing">Of each state, the nodes of its events at the places where the states differ.</param>
    public async ValueTask<IReadOnlyList<long>> Find(IReadOnlyList<IReadOnlyCollection<AuthNode>> differing, CancellationToken ct)
    {
        Open(differing);
        if (open.Count == 0)
            return [];
        await Look([.. Likely, .. await keysOf([.. open.Keys])], ct);
        while (Unreached() is { Count: > 0 } unreached && await ReachFromCiting(unreached, ct))
        {
            // more of some chains turned out to be common: what is left of them has fewer that cite it
        }
        var ranges = open.Where(chain => chain.Value.Common < chain.Value.Highest)
            .Select(chain => (chain.Key, chain.Value.Common, chain.Value.Highest)).ToList();
        return ranges.Count == 0 ? [] : await store.ListRanges(ranges, ct);
    }

    void Open(IReadOnlyList<IReadOnlyCollection<AuthNode>> differing)
    {
        var reaches = differing.Select(nodes =>
        {
            var reach = new Dictionary<long, int>();
            foreach (var node in nodes)
                node.AddTo(reach);
            return reach;
        }).ToList();
        foreach (var chain in reaches.SelectMany(reach => reach.Keys).ToHashSet())
        {
            var lowest = reaches.Min(reach => reach.GetValueOrDefault(chain));
            var highest = reaches.Max(reach => reach.GetValueOrDefault(chain));
            if (lowest < highest)
                open[chain] = (lowest, highest);
        }
    }

    List<AuthPlace> Unreached() =>
        [.. open.Where(chain => chain.Value.Common < chain.Value.Highest).Select(chain => new AuthPlace(chain.Key, chain.Value.Common + 1))];

    /// <summary>Goes through all that have one of these in their auth chain, chain by chain. True: something was reached, so begin again with what is left.</summary>
    async ValueTask<bool> ReachFromCiting(List<AuthPlace> unreached, CancellationToken ct)
    {
        var walked = unreached.ToDictionary(place => place.Chain, place => place.Sequence);
        var frontier = unreached.Select(place => (From: place, BelowSequence: int.MaxValue, BelowNid: long.MaxValue)).ToList();
        while (frontier.Count > 0)
        {
            var citing = await store.ListCiting(frontier, CitingAtOnce, ct);
            if (await Look([.. citing.Select(c => new StateKeyPair(c.Type, c.StateKey))], ct))
                return true;
            // the rest of long lists, and what cites the citing
            var next = citing.GroupBy(c => c.CitedChain).Where(list => list.Count() >= CitingAtOnce)
                .Select(list => (From: new AuthPlace(list.Key, walked[list.Key]), End: list.Min(c => (c.CitedSequence, c.EventNid))))
                .Select(rest => (rest.From, BelowSequence: rest.End.CitedSequence, BelowNid: rest.End.EventNid)).ToList();
            foreach (var chain in citing.GroupBy(c => c.Chain))
            {
                var from = chain.Min(c => c.FromSequence);
                if (walked.TryGetValue(chain.Key, out var already) && already <= from)
                    continue;
                walked[chain.Key] = from;
                next.RemoveAll(n => n.From.Chain == chain.Key);
                next.Add((new AuthPlace(chain.Key, from), int.MaxValue, long.MaxValue));
            }
            frontier = next;
        }
        return false;
    }

    /// <summary>Takes what the common state's events at these places reach. True: that was more than was known.</summary>
    async ValueTask<bool> Look(IReadOnlyCollection<StateKeyPair> keys, CancellationToken ct)
    {
        var fresh = keys.Where(looked.Add).ToList();
        if (fresh.Count == 0)
            return false;
        var common = await index.Find(await findCommon(fresh), ct);
        var reached = false;
        foreach (var (chain, (low, highest)) in open.ToList())
        {
            var reach = Math.Min(highest, common.Values.Select(node => node.ReachOf(chain)).DefaultIfEmpty(0).Max());
            if (reach <= low)
                continue;
            open[chain] = (reach, highest);
            reached = true;
        }
        return reached;
    }
}
