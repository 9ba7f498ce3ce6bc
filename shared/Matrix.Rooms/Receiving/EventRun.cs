using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms.State;
using Matrix.Rooms.Writing;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Receiving;

/// <summary>
/// Several events of another server that come in order and simply continue the room: each is allowed by the room's current state, which is the state before it
/// too. They become one change of the log. The run ends before the first that is anything else; that one is taken alone.
/// </summary>
sealed class EventRun
{
    /// <summary>Events to read at once for them, each up to 64 KiB: fifty that follow each other take some sixty.</summary>
    const int MostWanted = 200;

    readonly EventBuilding building;
    readonly Room room;
    readonly IReadOnlyList<Pdu> pdus;
    readonly Dictionary<EventId, StoredEvent> here;
    readonly Dictionary<EventId, Pdu> parsed = [];
    readonly long[] nids;

    EventRun(EventBuilding building, Room room, IReadOnlyList<Pdu> pdus, Dictionary<EventId, StoredEvent> here) =>
        (this.building, this.room, this.pdus, this.here, nids) = (building, room, pdus, here, new long[pdus.Count]);

    /// <summary>
    /// Takes as many of the events as can be taken together, or says what became before of the first ones; none if the first one needs more than that.
    /// </summary>
    public static async Task<IReadOnlyList<ReceivedEvent>> Take(
        RoomWriter writer, EventBuilding building, Room room, IReadOnlyList<Pdu> pdus, CancellationToken ct)
    {
        var wanted = new HashSet<EventId>();
        pdus = [.. pdus.TakeWhile(pdu => wanted.Count < MostWanted && AddWanted(pdu))];
        var here = (await building.Events.FindInRoom(room.RoomNid, wanted, ct)).ToDictionary(e => e.EventId);
        var past = pdus.TakeWhile(pdu => here.GetValueOrDefault(pdu.EventId) is { } e && (e.StateBefore is not null || e.Rejected is not null)).ToList();
        if (past.Count > 0)
            return [.. past.Select(pdu => ReceivedEvent.Past(here[pdu.EventId]))];
        var run = new EventRun(building, room, pdus, here);
        if (await run.CountPlain(ct) is var plain && plain == 0)
            return [];
        var taken = 0;
        var sent = await writer.Write(room, async (chain, token) =>
        {
            taken = await run.Take(chain, plain, token);
            return pdus[Math.Max(0, taken - 1)].EventId;
        }, null, ct, alone: true, InPartialRoom.IsRefused);
        return [.. pdus.Take(taken).Select((pdu, i) =>
            new ReceivedEvent(pdu.EventId, Reception.Accepted, new LogPosition(sent.Position.Value - taken + 1 + i)))];

        bool AddWanted(Pdu pdu)
        {
            wanted.UnionWith(EventSurroundings.Wanted(room, pdu));
            return true;
        }
    }

    /// <summary>
    /// How many of them, from the first on, nothing speaks against that does not depend on the room's head. Push rules are evaluated in the state at the end
    /// of the run: what they look at (who has which power, how many members there are) may only change by its first event.
    /// </summary>
    async ValueTask<int> CountPlain(CancellationToken ct)
    {
        var ids = new HashSet<EventId>();
        foreach (var pdu in pdus)
        {
            if (here.ContainsKey(pdu.EventId) || pdu.PrevEvents.Count == 0 || !pdu.AuthEvents.All(IsHere) || !pdu.PrevEvents.All(IsBase)
                || !MayFollow(pdu, ids) || !ids.Add(pdu.EventId))
                break;
        }
        var cited = here.Values.Where(e => e.StateKey is not null && pdus.Any(pdu => pdu.AuthEvents.Contains(e.EventId))).Select(e => e.EventNid).ToList();
        // what is cited and was never looked at has to be, before
        return (await building.AuthIndex.Find(cited, ct)).Count == cited.Count ? ids.Count : 0;

        bool IsHere(EventId id) => ids.Contains(id) || here.ContainsKey(id);
        bool IsBase(EventId id) => ids.Contains(id) || here.GetValueOrDefault(id) is { StateBefore: not null, Rejected: null, SoftFailed: false, IsHalfKnown: false };
    }

    bool MayFollow(Pdu pdu, HashSet<EventId> others)
    {
        if (pdu.Redacts is not null || EventRelation.Read(pdu)?.EventId is { } related && others.Contains(related))
            return false;
        // what is unread begins and ends with a membership of this server's users
        if (pdu.Type == EventTypes.Member && (!UserId.TryParse(pdu.StateKey, out var user) || user.Server == building.Server.ServerName))
            return false;
        return others.Count == 0 || pdu.Type is not (EventTypes.Member or EventTypes.PowerLevels);
    }

    async ValueTask<int> Take(EventChain chain, int count, CancellationToken ct)
    {
        if (chain.Head.Extremities.Count == 0)
            return 0;
        var touched = await building.Events.ListTouched(room.RoomNid, [.. pdus.Take(count).Select(pdu => pdu.EventId)], ct);
        var known = new Dictionary<EventId, StoredEvent>(here);
        var after = new Dictionary<EventId, StateNodeId>();
        for (var i = 0; i < count; i++)
        {
            var pdu = pdus[i];
            var around = new EventSurroundings(room, pdu, known, parsed);
            if (touched.Contains(pdu.EventId) || await CommonState(around, after, ct) != chain.StateRoot || !Continues(chain, pdu)
                || !around.CheckByAuthEvents().Allowed || !(await around.CheckIn(chain.StateRoot, building.StateEvents, ct)).Allowed)
                return i;
            // whether its policy server has to be asked is looked at for each event alone
            if (await chain.Find(EventTypes.Policy, "", ct) is not null)
                return i;
            if (nids[i] == 0)
                nids[i] = await building.Nids.NextEvent(ct);
            var before = chain.StateRoot;
            await chain.Take(new ReceivedPdu(
                nids[i], pdu, new StateUpdate(before, []), around.Cited, pdu.PrevEvents.ToHashSet(), false, [], null, null), true, ct);
            after[pdu.EventId] = building.EventStates.Find(nids[i]) ?? throw new KeyNotFoundException($"The state after {pdu.EventId} is forgotten.");
            known[pdu.EventId] = new StoredEvent(nids[i], pdu.EventId, room.RoomNid, room.Rules, null, pdu.Depth, pdu.Type, pdu.StateKey, pdu.Sender,
                pdu.OriginServerTs, pdu.Json, before, chain.StateRoot, null, false, null);
            parsed[pdu.EventId] = pdu;
        }
        return count;
    }

    /// <summary>
    /// Does the room end in it, or in messages beside it after which the state is the same? States that differ would have to be resolved, which asks the
    /// database about events that are not stored yet.
    /// </summary>
    bool Continues(EventChain chain, Pdu pdu) => chain.Ends.All(end =>
        pdu.PrevEvents.Contains(end.EventId) || !pdu.IsState && building.EventStates.Find(end.EventNid) == chain.StateRoot);

    /// <summary>The state after all that the event builds on; null if there are several.</summary>
    async ValueTask<StateNodeId?> CommonState(EventSurroundings around, Dictionary<EventId, StateNodeId> after, CancellationToken ct)
    {
        StateNodeId? common = null;
        foreach (var prev in around.Prev)
        {
            if (!after.TryGetValue(prev.EventId, out var state))
                after[prev.EventId] = state = building.EventStates.Find(prev.EventNid) ?? await building.EventStates.After(prev, ct);
            if (common is { } other && other != state)
                return null;
            common = state;
        }
        return common;
    }
}
