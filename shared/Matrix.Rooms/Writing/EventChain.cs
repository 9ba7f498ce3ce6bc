using Matrix.Federation;
using Matrix.Protocol;
using Matrix.Rooms.State;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Writing;

/// <summary>An event of a chain, with the state before it and after it.</summary>
/// <param name="Replaced">Of a state event: what stood at its place before.</param>
/// <param name="Blanks">Of a redaction: the place whose current state it redacts.</param>
/// <param name="Related">The event whose bundled aggregations this one changes.</param>
sealed record ChainedEvent(
    long EventNid, Pdu Pdu, StateNodeId StateBefore, StateNodeId StateAfter, Pdu? Replaced = null, StateKeyPair? Blanks = null,
    string? Related = null);

/// <summary>What building an event needs.</summary>
sealed record EventBuilding(ServerSigningKey Server, StateTree Tree, StateEvents StateEvents, NidAllocator Nids, TimeProvider Time);

/// <summary>
/// New events built one on the other upon a room's head, each authorised in the state that the ones before it leave behind. Nothing is written: the
/// chain becomes one <see cref="EventsChange"/>.
/// </summary>
public sealed class EventChain
{
    readonly EventBuilding building;
    readonly RoomHead head;
    readonly List<ChainedEvent> events = [];
    readonly Dictionary<StateNodeId, StateNode> newNodes = [];

    internal EventChain(EventBuilding building, Room room, RoomHead head)
    {
        this.building = building;
        this.head = head;
        Room = room;
        StateRoot = head.StateRoot;
    }

    /// <summary>The room. While a version 12 room is being created it has no id before its create event.</summary>
    public Room Room { get; private set; }

    /// <summary>The state that the next event is authorised in.</summary>
    public StateNodeId StateRoot { get; private set; }

    internal IReadOnlyList<ChainedEvent> Events => events;

    internal bool IsLocal(UserId user) => user.Server == building.Server.ServerName;

    internal RoomHead Head => head;

    internal IReadOnlyCollection<StateNode> NewNodes => newNodes.Values;

    /// <summary>The head once the chain is committed.</summary>
    internal RoomHead NextHead()
    {
        var last = events[^1];
        return new RoomHead(head.Version + 1, [new EventReference(last.EventNid, last.Pdu.EventId)], StateRoot, last.Pdu.Depth, head.Position);
    }

    /// <summary>The state event that stands at this place now, or null.</summary>
    public ValueTask<Pdu?> Find(string type, string stateKey, CancellationToken ct) => building.StateEvents.Find(StateRoot, type, stateKey, ct);

    /// <summary>The state events that stand at these places now, in the same order.</summary>
    public ValueTask<Pdu?[]> Find(IReadOnlyList<StateKeyPair> keys, CancellationToken ct) => building.StateEvents.Find(StateRoot, keys, ct);

    /// <summary>A user's membership now; <c>leave</c> if there never was one.</summary>
    public async ValueTask<string> Membership(UserId user, CancellationToken ct) =>
        (await Find(EventTypes.Member, user.ToString(), ct))?.Membership ?? "leave";

    public async ValueTask<PowerLevels> PowerLevels(CancellationToken ct)
    {
        var state = await Find([new(EventTypes.PowerLevels, ""), new(EventTypes.Create, "")], ct);
        return Protocol.PowerLevels.Read(state[0], state[1]);
    }

    /// <summary>The state event that already says what the draft wants to say: same place, sender and content; or null.</summary>
    public async ValueTask<Pdu?> FindSame(EventDraft draft, CancellationToken ct)
    {
        if (draft.StateKey is null || await Find(draft.Type, draft.StateKey, ct) is not { } current || current.Sender != draft.Sender)
            return null;
        var content = CanonicalJson.Canonicalize(draft.Content.Span, Room.Rules.Json);
        return current.ContentJson.Span.SequenceEqual(content) ? current : null;
    }

    /// <summary>Builds, signs and authorises the event.</summary>
    /// <param name="redacted">Of a redaction: what it redacts.</param>
    /// <exception cref="RoomException">403: the room's auth rules do not allow it.</exception>
    public async ValueTask<Pdu> Add(EventDraft draft, CancellationToken ct, StoredEvent? redacted = null)
    {
        var authority = await EventAuthority.Load(building.StateEvents, StateRoot, draft, Room.Rules, ct);
        var pdu = Build(draft, authority);
        var result = EventAuth.Check(pdu, authority.State, Room.Rules);
        if (!result.Allowed)
            throw RoomException.Forbidden(result.Reason ?? "The room does not allow this.");
        if (events.Count == 0 && head.Version == 0)
            Room = Room with { RoomId = pdu.RoomId };
        await Append(pdu, redacted, ct);
        return pdu;
    }

    Pdu Build(EventDraft draft, EventAuthority authority)
    {
        var last = events.Count > 0 ? events[^1].Pdu : null;
        var isFirst = last is null && head.Version == 0;
        return new PduBuilder
        {
            Type = draft.Type,
            StateKey = draft.StateKey,
            Sender = draft.Sender,
            RoomId = isFirst && Room.Rules.RoomIdIsCreateHash ? null : Room.RoomId,
            Content = draft.Content,
            PrevEvents = last is null ? [.. head.Extremities.Select(e => e.EventId)] : [last.EventId],
            AuthEvents = authority.AuthEvents,
            Depth = Math.Min(last?.Depth ?? head.Depth, Room.Rules.MaxDepth - 1) + 1,
            OriginServerTs = building.Time.GetUtcNow().ToUnixTimeMilliseconds(),
            Redacts = draft.Redacts,
        }.Build(Room.Rules, building.Server.ServerName, building.Server.Key);
    }

    async ValueTask Append(Pdu pdu, StoredEvent? redacted, CancellationToken ct)
    {
        var nid = await building.Nids.NextEvent(ct);
        var before = StateRoot;
        Pdu? replaced = null;
        if (pdu.StateKey is { } stateKey)
        {
            replaced = await Find(pdu.Type, stateKey, ct);
            building.StateEvents.Add(nid, pdu);
            var update = await building.Tree.Set(before, [new StateAssignment(new StateKeyPair(pdu.Type, stateKey), nid)], ct);
            foreach (var node in update.NewNodes)
                newNodes[node.Id] = node;
            StateRoot = update.Root;
        }
        StateKeyPair? blanks = redacted is { StateKey: { } key } && (await Find(redacted.Type, key, ct))?.EventId == redacted.EventId
            ? new StateKeyPair(redacted.Type, key) : null;
        events.Add(new ChainedEvent(nid, pdu, before, StateRoot, replaced, blanks, RelationChanges.Aggregates(pdu, redacted)));
    }
}
