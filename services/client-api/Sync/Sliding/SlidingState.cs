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

    /// <summary>The non-members of the states of which patterns want more than single events, by room: read together.</summary>
    public ValueTask<Dictionary<long, IReadOnlyDictionary<StateKeyPair, long>>> Outline(IReadOnlyList<(long Room, StateNodeId Root)> rooms, CancellationToken ct) =>
        outlines.Read(rooms, ct);

    /// <summary>Looks up single pieces of many states at once.</summary>
    public async ValueTask Find(StateWishes wishes, CancellationToken ct)
    {
        if (wishes.Places.Count > 0)
            wishes.Grant(await states.Find(wishes.Places, ct));
    }

    public Task<List<StateEntry>> ReadAll(StateNodeId root, CancellationToken ct) => states.ReadAll(root, ct);

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
