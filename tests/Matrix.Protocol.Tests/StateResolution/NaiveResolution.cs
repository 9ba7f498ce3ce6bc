using System.Security.Cryptography;
using System.Text;
using State = System.Collections.Generic.Dictionary<Matrix.Protocol.StateKeyPair, Matrix.Protocol.EventId>;

namespace Matrix.Protocol.Tests;

/// <summary>State resolution written down from the specification's text, sentence by sentence and without a thought for speed.</summary>
sealed class NaiveResolution(IReadOnlyDictionary<EventId, ResolutionEvent> events, RoomVersionRules rules)
{
    Pdu Get(EventId id) => events[id].Pdu;

    static StateKeyPair Key(Pdu pdu) => new(pdu.Type, pdu.StateKey!);

    public State Resolve(IReadOnlyList<State> states) =>
        rules.StateResolution == StateResolutionAlgorithm.V1 ? ResolveV1(states) : ResolveV2(states);

    State ResolveV2(IReadOnlyList<State> states)
    {
        var isNewer = rules.StateResolution == StateResolutionAlgorithm.V21;
        var keys = states.SelectMany(state => state.Keys).ToHashSet();
        var unconflicted = keys.Where(key => states.All(state => state.TryGetValue(key, out var id) && id == states[0][key]))
            .ToDictionary(key => key, key => states[0][key]);
        var conflicted = states.SelectMany(state => state.Where(entry => !unconflicted.ContainsKey(entry.Key)).Select(entry => entry.Value)).ToHashSet();

        // as Synapse has it, a state's own events are among its auth chain
        var chains = states.Select(state => state.Values.SelectMany(id => AuthChain(id).Append(id)).ToHashSet()).ToList();
        var authDifference = chains.SelectMany(chain => chain).Where(id => !chains.All(chain => chain.Contains(id)));
        var full = conflicted.Union(authDifference).ToHashSet();
        if (isNewer)
            full.UnionWith(AllChains(conflicted).Where(id => conflicted.Any(lower => AuthChain(lower).Contains(id)) && conflicted.Any(upper => AuthChain(id).Contains(upper))));

        var power = full.Where(id => IsPowerEvent(Get(id))).ToHashSet();
        power.UnionWith(power.SelectMany(AuthChain).Where(full.Contains).ToList());
        var partial = IterativeAuthChecks(isNewer ? [] : new State(unconflicted), ReverseTopologicalPowerOrdering(power));
        var resolved = IterativeAuthChecks(partial, MainlineOrdering(full.Except(power), partial));
        foreach (var (key, id) in unconflicted)
            resolved[key] = id;
        return resolved;
    }

    HashSet<EventId> AllChains(IEnumerable<EventId> ids) => ids.SelectMany(AuthChain).ToHashSet();

    readonly Dictionary<EventId, HashSet<EventId>> _chains = [];

    HashSet<EventId> AuthChain(EventId id)
    {
        if (!_chains.TryGetValue(id, out var chain))
            _chains[id] = chain = Get(id).AuthEvents.SelectMany(parent => AuthChain(parent).Append(parent)).ToHashSet();
        return chain;
    }

    static bool IsPowerEvent(Pdu pdu) =>
        pdu.Type is "m.room.power_levels" or "m.room.join_rules"
        || (pdu.Type == "m.room.member" && pdu.Membership is "leave" or "ban" && pdu.Sender.ToString() != pdu.StateKey);

    List<EventId> ReverseTopologicalPowerOrdering(HashSet<EventId> set)
    {
        var (sorted, left) = (new List<EventId>(), new HashSet<EventId>(set));
        while (left.Count > 0)
        {
            var next = left.Where(id => !AuthChain(id).Overlaps(left))
                .OrderByDescending(id => SenderLevel(Get(id))).ThenBy(id => Get(id).OriginServerTs).ThenBy(id => id).First();
            sorted.Add(next);
            left.Remove(next);
        }
        return sorted;
    }

    long SenderLevel(Pdu pdu)
    {
        var auth = pdu.AuthEvents.Select(Get).ToList();
        var create = rules.RoomIdIsCreateHash ? events.Values.First(item => item.Pdu.Type == "m.room.create").Pdu : auth.FirstOrDefault(item => item.Type == "m.room.create");
        return PowerLevels.Read(auth.FirstOrDefault(item => item.Type == "m.room.power_levels"), create ?? (pdu.Type == "m.room.create" ? pdu : null)).For(pdu.Sender);
    }

    IEnumerable<EventId> MainlineOrdering(IEnumerable<EventId> ids, State partial)
    {
        List<EventId> mainline = partial.TryGetValue(new("m.room.power_levels", ""), out var top) ? [top, .. Line(top)] : [];
        return ids.OrderByDescending(id =>
        {
            var j = Line(id).FindIndex(mainline.Contains);
            return j < 0 ? int.MaxValue : mainline.IndexOf(Line(id)[j]);
        }).ThenBy(id => Get(id).OriginServerTs).ThenBy(id => id);
    }

    List<EventId> Line(EventId id)
    {
        var line = new List<EventId>();
        while (Get(id).AuthEvents.Select(Get).FirstOrDefault(item => item.Type == "m.room.power_levels") is { } next)
            line.Add(id = next.EventId);
        return line;
    }

    State IterativeAuthChecks(State initial, IEnumerable<EventId> sorted)
    {
        var state = new State(initial);
        var create = rules.RoomIdIsCreateHash ? events.Values.First(item => item.Pdu.Type == "m.room.create").Pdu : null;
        foreach (var id in sorted)
        {
            var pdu = Get(id);
            var auth = new Dictionary<StateKeyPair, Pdu>();
            foreach (var item in pdu.AuthEvents.Select(parent => events[parent]).Where(item => !item.IsRejected))
                auth[Key(item.Pdu)] = item.Pdu;
            foreach (var (key, value) in state)
                auth[key] = Get(value);
            if (EventAuth.Check(pdu, new AuthState(auth.Values), rules, create).Allowed)
                state[Key(pdu)] = id;
        }
        return state;
    }

    State ResolveV1(IReadOnlyList<State> states)
    {
        var groups = states.SelectMany(state => state).GroupBy(entry => entry.Key, entry => entry.Value).ToDictionary(group => group.Key, group => group.Distinct().ToList());
        var resolved = groups.Where(group => group.Value.Count == 1).ToDictionary(group => group.Key, group => group.Value[0]);
        foreach (var type in new[] { "m.room.power_levels", "m.room.join_rules", "m.room.member" })
        {
            var before = new State(resolved);
            foreach (var (key, ids) in groups.Where(group => group.Key.Type == type && group.Value.Count > 1))
            {
                var list = ids.OrderBy(id => Get(id).Depth).ThenByDescending(Sha1, StringComparer.Ordinal).ToList();
                var current = new State(before) { [key] = list[0] };
                foreach (var id in list.Skip(1).TakeWhile(id => IsAllowed(id, current)))
                    current[key] = id;
                resolved[key] = current[key];
            }
        }
        var auth = new State(resolved);
        foreach (var (key, ids) in groups.Where(group => !auth.ContainsKey(group.Key)))
            if (ids.OrderByDescending(id => Get(id).Depth).ThenBy(Sha1, StringComparer.Ordinal).Where(id => IsAllowed(id, auth)).Take(1).ToList() is [var winner])
                resolved[key] = winner;
        return resolved;
    }

    bool IsAllowed(EventId id, State state) => EventAuth.Check(Get(id), new AuthState(state.Values.Select(Get)), rules).Allowed;

#pragma warning disable CA5350
    static string Sha1(EventId id) => Convert.ToHexString(SHA1.HashData(Encoding.UTF8.GetBytes(id.ToString())));
#pragma warning restore CA5350
}
