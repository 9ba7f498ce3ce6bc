using System.Security.Cryptography;
using System.Text;

namespace Matrix.Protocol;

/// <summary>State resolution of room version 1: by depth, auth events first.</summary>
static class StateResolutionV1
{
    public static async ValueTask<IReadOnlyDictionary<StateKeyPair, EventId>> Resolve(
        IReadOnlyList<IReadOnlyDictionary<StateKeyPair, EventId>> differing, ResolutionEvents events)
    {
        var candidates = differing.SelectMany(state => state).GroupBy(entry => entry.Key, entry => entry.Value)
            .ToDictionary(group => group.Key, group => group.Distinct().ToList());
        // A place that only some states have is no conflict here.
        var resolved = candidates.Where(entry => entry.Value.Count == 1).ToDictionary(entry => entry.Key, entry => entry.Value[0]);
        await events.Load(candidates.Values.SelectMany(ids => ids));
        var conflicts = candidates.Where(entry => entry.Value.Count > 1)
            .ToDictionary(entry => entry.Key, entry => Sort(entry.Value.Select(events.Find).OfType<Pdu>()));
        var checkedEvents = conflicts.Values.SelectMany(list => list).ToList();
        await events.LoadForChecks(checkedEvents);

        var state = new Dictionary<StateKeyPair, Pdu>();
        foreach (var key in checkedEvents.SelectMany(AuthEvents.KeysFor).Distinct().Append(new(EventTypes.Create, "")))
            if (Agreed(key, resolved, events) is { } pdu)
                state[key] = pdu;
        foreach (var type in new[] { EventTypes.PowerLevels, EventTypes.JoinRules, EventTypes.Member })
            ResolveAuthType(type, conflicts, state, resolved, events);
        foreach (var (key, list) in conflicts.Where(conflict => !resolved.ContainsKey(conflict.Key)).ToList())
            if (Enumerable.Reverse(list).FirstOrDefault(pdu => events.IsAllowed(pdu, state, useAuthEvents: false)) is { } winner)
                resolved[key] = winner.EventId;
        return resolved;
    }

    static Pdu? Agreed(StateKeyPair key, Dictionary<StateKeyPair, EventId> resolved, ResolutionEvents events) =>
        resolved.TryGetValue(key, out var id) ? events.Find(id) : events.FindUnconflicted(key);

    /// <summary>All conflicts of a type see the state before the first of them, so that their order does not matter.</summary>
    static void ResolveAuthType(
        string type, Dictionary<StateKeyPair, List<Pdu>> conflicts, Dictionary<StateKeyPair, Pdu> state,
        Dictionary<StateKeyPair, EventId> resolved, ResolutionEvents events)
    {
        var winners = new Dictionary<StateKeyPair, Pdu>();
        foreach (var (key, list) in conflicts)
            if (key.Type == type && list.Count > 0)
                winners[key] = ResolveAuthEvent(key, list, new Dictionary<StateKeyPair, Pdu>(state), events);
        foreach (var (key, winner) in winners)
        {
            state[key] = winner;
            resolved[key] = winner.EventId;
        }
    }

    static Pdu ResolveAuthEvent(StateKeyPair key, List<Pdu> list, Dictionary<StateKeyPair, Pdu> state, ResolutionEvents events)
    {
        var winner = list[0];
        foreach (var candidate in list.Skip(1))
        {
            state[key] = winner;
            if (!events.IsAllowed(candidate, state, useAuthEvents: false))
                break;
            winner = candidate;
        }
        return winner;
    }

    /// <summary>By rising depth, then by falling SHA-1 of the event id.</summary>
    static List<Pdu> Sort(IEnumerable<Pdu> pdus) =>
        [.. pdus.OrderBy(pdu => pdu.Depth).ThenByDescending(pdu => Sha1(pdu.EventId), StringComparer.Ordinal)];

#pragma warning disable CA5350 // room version 1 sorts by SHA-1; nothing is protected by it
    static string Sha1(EventId id) => Convert.ToHexString(SHA1.HashData(Encoding.UTF8.GetBytes(id.ToString())));
#pragma warning restore CA5350
}
