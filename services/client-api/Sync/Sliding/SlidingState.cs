using Matrix.Protocol;
using Matrix.Rooms.State;
using Matrix.Storage.Rooms;

namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>What became of a room's state since the client last heard of it.</summary>
/// <param name="Root">The state at the end.</param>
/// <param name="Changes">By key, the event that stands there now, or null. For a room that the client has whole.</param>
sealed record StateChange(StateNodeId Root, IReadOnlyDictionary<StateKeyPair, long?> Changes)
{
    public static readonly IReadOnlyDictionary<StateKeyPair, long?> None = new Dictionary<StateKeyPair, long?>();

    public bool Touches(string type) => Changes.ContainsKey(new StateKeyPair(type, ""));

    public bool TouchesMembers => Changes.Keys.Any(key => key.Type == EventTypes.Member);
}

/// <summary>Finds the rooms' states, and what changed of them.</summary>
sealed class SlidingState(StateTree states, RoomRoots roots, RoomOutlines outlines)
{
    /// <summary>The states at the ends of the rooms' timelines, with the changes for rooms that the client has.</summary>
    public async Task<Dictionary<long, StateChange>> Find(
        SlidingResult result, IReadOnlyList<SlidingRoom> rooms, Dictionary<long, SlidingTimelines.Known> known, CancellationToken ct)
    {
        var changes = new Dictionary<long, StateChange>();
        var unclear = new List<SlidingRoom>();
        foreach (var room in rooms)
        {
            var places = known[room.Plan.Entry.RoomNid];
            var end = places.Places.Count > 0 ? result.Events.Find(places.Places[0].EventNid)?.RoomState : null;
            if (end is { } root)
                roots.Learn(room.Plan.Entry.RoomNid, places.Places[0].Position, root);
            if (end is { } last && room.Plan.Initial)
                changes[room.Plan.Entry.RoomNid] = new StateChange(last, StateChange.None);
            else if (end is { } now && await FollowEvents(room, places, result, ct) is { } followed)
                changes[room.Plan.Entry.RoomNid] = new StateChange(now, followed);
            else
                unclear.Add(room);
        }
        if (unclear.Count > 0)
            await Compare(unclear, changes, ct);
        return changes;
    }

    /// <summary>The events of a state that a client wants, by key.</summary>
    public async Task<IReadOnlyList<(StateKeyPair Key, long EventNid)>> List(long room, StateNodeId root, RequiredState wanted, CancellationToken ct)
    {
        if (wanted.AllMembers)
        {
            return [.. (await states.ReadAll(root, ct)).Where(entry => wanted.Matches(entry.Key.Type, entry.Key.StateKey))
                .Select(entry => (entry.Key, entry.EventNid))];
        }
        var keys = wanted.Clauses.SelectMany(Single).Distinct().Where(key => wanted.Matches(key.Type, key.StateKey)).ToList();
        var found = (await states.Find(root, keys, ct)).Zip(keys).Where(pair => pair.First is not null).Select(pair => (pair.Second, pair.First!.Value));
        if (wanted.IsExact)
            return [.. found];
        var outline = await outlines.Read(room, root, ct);
        return [.. found.Concat(outline.Where(entry => wanted.Matches(entry.Key.Type, entry.Key.StateKey)).Select(entry => (entry.Key, entry.Value))).Distinct()];
    }

    public async ValueTask<long?[]> Find(StateNodeId root, IReadOnlyList<StateKeyPair> keys, CancellationToken ct) => await states.Find(root, keys, ct);

    // What one pattern says of members, whom the outline leaves out, and the events that are named one by one.
    static IEnumerable<StateKeyPair> Single(StateClause clause) => clause.Exact.Select(pattern => new StateKeyPair(pattern.Type!, pattern.StateKey!))
        .Concat(clause.Include.Where(pattern => pattern is { Type: null, StateKey: not null }).Select(pattern => new StateKeyPair(EventTypes.Member, pattern.StateKey!)));

    /// <summary>
    /// The changes as the events themselves make them; null: there is a gap, or the events are not all there is to it, because the room had forked.
    /// </summary>
    async ValueTask<IReadOnlyDictionary<StateKeyPair, long?>?> FollowEvents(
        SlidingRoom room, SlidingTimelines.Known known, SlidingResult result, CancellationToken ct)
    {
        if (!known.Complete || room.Plan.ExpandsTimeline)
            return null;
        Dictionary<StateKeyPair, long?>? changes = null;
        EncodedEvent? previous = null;
        foreach (var place in known.Places.Reverse())
        {
            if (result.Events.Find(place.EventNid) is not { StateBefore: { } before, RoomState: { } after } e || (previous is not null && previous.RoomState != before))
                return null;
            previous = e;
            if (before == after)
                continue;
            foreach (var change in await states.Diff(before, after, ct))
            {
                if (change.Key.Type != e.Type || change.Key.StateKey != e.StateKey)
                    return null;
                (changes ??= [])[change.Key] = change.After;
            }
        }
        return changes ?? StateChange.None;
    }

    async Task Compare(List<SlidingRoom> rooms, Dictionary<long, StateChange> changes, CancellationToken ct)
    {
        var places = rooms.SelectMany(room => room.Plan.From is { } from
            ? new[] { (room.Plan.Entry.RoomNid, room.Plan.UpTo), (room.Plan.Entry.RoomNid, from) }
            : [(room.Plan.Entry.RoomNid, room.Plan.UpTo)]).Distinct().ToList();
        var found = await roots.Get(places, ct);
        foreach (var plan in rooms.Select(room => room.Plan))
        {
            var root = found[(plan.Entry.RoomNid, plan.UpTo)];
            var differences = plan.From is { } from ? await states.Diff(found[(plan.Entry.RoomNid, from)], root, ct) : [];
            changes[plan.Entry.RoomNid] = new StateChange(root, differences.ToDictionary(change => change.Key, change => change.After));
        }
    }
}
