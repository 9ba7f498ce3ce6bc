using Matrix.Protocol;
using Matrix.Rooms.Receiving;
using Matrix.Rooms.Resolution;
using Matrix.Rooms.State;
using Matrix.Rooms.Writing;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Fetching;

/// <summary>
/// Finds out what events of a room's past are: the state before each, from those that it builds on or as the server tells it, and whether the rules allow it.
/// </summary>
sealed class OldEvents(EventBuilding building, AsideEvents aside, EventStore events, MissingAuth auth, MissingState states, FetchingOptions options)
{
    /// <param name="pdus">Whatever the server gave; what has its place in the room already is left out, and what belongs into an older gap.</param>
    public async Task<OldPage> Judge(Room room, TimelineGap gap, IReadOnlyList<Pdu> pdus, ServerName server, CancellationToken ct)
    {
        var placed = await events.ListPlaced(room.RoomNid, [.. pdus.Select(pdu => pdu.EventId)], ct);
        var unplaced = pdus.Where(pdu => !placed.Contains(pdu.EventId)).ToLookup(pdu => pdu.Depth <= gap.Floor);
        var fresh = unplaced[false].ToDictionary(pdu => pdu.EventId);
        await auth.FetchFor(room, fresh, server, ct);
        var page = new Page(room, gap, [.. unplaced[true].Select(pdu => pdu.EventId)], building, events, await events.ListWithRedactionsDue(room.RoomNid, fresh.Keys, ct));
        var statesLeft = options.MostStates;
        foreach (var pdu in MissingEvents.Ordered(fresh))
        {
            var around = await EventSurroundings.Load(events, room, pdu, ct);
            if (around.MissingAuth.Count > 0 || around is { Known: not null, IsOutlier: false } or { Known.Rejected: not null })
                continue;
            await aside.Settle(room, around.Cited, ct);
            var missing = around.MissingPrev.Where(prev => !page.Has(prev)).ToList();
            StateNodeId before;
            if (missing.Count == 0 && around.HalfKnownPrev.Count == 0)
                before = await page.StateBefore(around, ct);
            else if (statesLeft-- > 0 && await states.Fetch(room, pdu.EventId, server, ct) is { } told)
                before = (await aside.StoreState(room, told, ct)).Root;
            else
                continue;
            await page.Add(around, before, missing, ct);
        }
        await page.Store(aside, ct);
        return page.Result();
    }

    /// <summary>A page as it grows.</summary>
    sealed class Page(Room room, TimelineGap gap, IReadOnlyList<EventId> older, EventBuilding building, EventStore events, IReadOnlySet<EventId> due)
    {
        readonly List<OldEvent> found = [];
        readonly Dictionary<EventId, OldEvent> byId = [];
        readonly Dictionary<EventId, long> redacted = [];
        readonly List<(long Redaction, EventId Target)> waiting = [];
        readonly Dictionary<StateNodeId, StateNode> nodes = [];
        readonly ReceivedRedactions redactions = new(events, building.StateEvents, room);

        public bool Has(EventId eventId) => byId.ContainsKey(eventId);

        public async Task<StateNodeId> StateBefore(EventSurroundings around, CancellationToken ct)
        {
            if (around.Pdu.PrevEvents.Count == 0)
                return StateTree.Empty;
            var after = new List<StateNodeId>();
            foreach (var prev in around.Prev)
                after.Add(await building.EventStates.After(prev, ct));
            after.AddRange(around.Pdu.PrevEvents.Select(byId.GetValueOrDefault).OfType<OldEvent>().Select(e => e.After));
            return Keep(await building.Resolver.Resolve(room, after, StateResolver.NothingPending, ct));
        }

        public async Task Add(EventSurroundings around, StateNodeId before, IReadOnlyList<EventId> missing, CancellationToken ct)
        {
            var (pdu, allowed) = (around.Pdu, around.CheckByAuthEvents());
            if (allowed.Allowed)
                allowed = await around.CheckIn(before, building.StateEvents, ct);
            var nid = around.Known?.EventNid ?? await building.Nids.NextEvent(ct);
            var after = allowed.Allowed && pdu.StateKey is { } key
                ? Keep(await building.Tree.Set(before, [new StateAssignment(new StateKeyPair(pdu.Type, key), nid)], ct)) : before;
            var e = new OldEvent(nid, pdu, before, after, allowed.Allowed ? null : allowed.Reason ?? "The rules do not allow it.", around.IsOutlier, missing);
            found.Add(e);
            byId[pdu.EventId] = e;
            if (!allowed.Allowed)
                return;
            if (due.Contains(pdu.EventId) && await redactions.FindDue(pdu, ct) is { } redaction)
                redacted[pdu.EventId] = redaction;
            if (pdu.Redacts is { } target)
                await AddRedaction(around, e, target, ct);
        }

        public Task Store(AsideEvents aside, CancellationToken ct) => aside.StoreNodes([.. nodes.Values], ct);

        public OldPage Result() => new(room, gap, found, older, redacted, waiting);

        async Task AddRedaction(EventSurroundings around, OldEvent redaction, EventId target, CancellationToken ct)
        {
            var known = byId.GetValueOrDefault(target)?.Pdu;
            if (known is null && around.Target is { } stored)
                known = Pdu.FromStored(stored.EventId, stored.Json, stored.Rules);
            if (known is null)
                waiting.Add((redaction.EventNid, target));
            else if (await redactions.May(redaction.Pdu.Sender, known.Sender, known.Type, redaction.Before, ct))
                redacted.TryAdd(target, redaction.EventNid);
        }

        StateNodeId Keep(StateUpdate update)
        {
            foreach (var node in update.NewNodes)
                nodes[node.Id] = node;
            return update.Root;
        }
    }
}
