using Matrix.Protocol;
using Matrix.Rooms.Resolution;
using Matrix.Rooms.State;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Receiving;

/// <summary>What is known here of a received event: itself, what it cites and what it builds on.</summary>
sealed class EventSurroundings
{
    readonly IReadOnlyDictionary<EventId, StoredEvent> events;
    readonly Dictionary<EventId, Pdu> parsed;

    /// <param name="parsed">What of the events has been parsed already: many events cite the same ones.</param>
    public EventSurroundings(Room room, Pdu pdu, IReadOnlyDictionary<EventId, StoredEvent> events, Dictionary<EventId, Pdu> parsed) =>
        (Room, Pdu, this.events, this.parsed) = (room, pdu, events, parsed);

    public Room Room { get; }

    /// <summary>The same of the same event with more signatures.</summary>
    public EventSurroundings With(Pdu signed) => new(Room, signed, events, parsed);

    public Pdu Pdu { get; }

    /// <summary>The event, if it was here before.</summary>
    public StoredEvent? Known => events.GetValueOrDefault(Pdu.EventId);

    /// <summary>Is it here only because others cite it?</summary>
    public bool IsOutlier => Known is { StateBefore: null };

    public IReadOnlyList<EventId> MissingAuth => [.. Pdu.AuthEvents.Where(id => !events.ContainsKey(id))];

    /// <summary>An outlier is not here as a place to build on: the state there is not known.</summary>
    public IReadOnlyList<EventId> MissingPrev => [.. Pdu.PrevEvents.Where(id => events.GetValueOrDefault(id) is not { StateBefore: not null })];

    public IReadOnlyList<StoredEvent> Prev => [.. Pdu.PrevEvents.Distinct().Select(events.GetValueOrDefault).OfType<StoredEvent>().Where(e => e.StateBefore is not null)];

    /// <summary>Prev events that are here, but whose states are not all known, and never will be: what builds on them needs to be told its state.</summary>
    public IReadOnlyList<EventId> HalfKnownPrev => [.. Prev.Where(e => e.IsHalfKnown).Select(e => e.EventId)];

    public IReadOnlyList<CitedEvent> Cited => [.. AuthEvents.Select(e => new CitedEvent(e.EventNid, e.Type, e.StateKey))];

    IEnumerable<StoredEvent> AuthEvents => Pdu.AuthEvents.Distinct().Select(id => events[id]);

    /// <summary>What it is to redact, if that is here.</summary>
    public StoredEvent? Target => Pdu.Redacts is { } target ? events.GetValueOrDefault(target) : null;

    /// <summary>The room's create event, where it is not among what an event cites.</summary>
    Pdu? Create => Room.Rules.RoomIdIsCreateHash && Pdu.RoomId.CreateEventId is { } id && events.GetValueOrDefault(id) is { } create ? ToPdu(create) : null;

    public static async ValueTask<EventSurroundings> Load(EventStore store, Room room, Pdu pdu, CancellationToken ct) =>
        new(room, pdu, (await store.FindInRoom(room.RoomNid, Wanted(room, pdu), ct)).ToDictionary(e => e.EventId), []);

    /// <summary>The events that are to be looked at.</summary>
    public static IReadOnlyCollection<EventId> Wanted(Room room, Pdu pdu)
    {
        HashSet<EventId> wanted = [pdu.EventId, .. pdu.PrevEvents, .. pdu.AuthEvents];
        if (pdu.Redacts is { } target)
            wanted.Add(target);
        if (room.Rules.RoomIdIsCreateHash && pdu.RoomId.CreateEventId is { } create)
            wanted.Add(create);
        return wanted;
    }

    /// <summary>Do the events that it cites allow it? (Server-Server API, Checks performed on receipt of a PDU, 4.)</summary>
    public AuthResult CheckByAuthEvents()
    {
        var cited = AuthEvents.ToList();
        var pdus = cited.Select(ToPdu).ToList();
        var rejected = cited.Where(e => e.Rejected is not null).Select(e => e.EventId).ToHashSet();
        var result = EventAuth.CheckAuthEvents(Pdu, pdus, rejected.Contains);
        return result.Allowed ? EventAuth.Check(Pdu, new AuthState(pdus), Room.Rules, Create) : result;
    }

    /// <summary>Does this state allow it? (5 and 6.)</summary>
    public async ValueTask<AuthResult> CheckIn(StateNodeId root, StateEvents stateEvents, CancellationToken ct)
    {
        IReadOnlyList<StateKeyPair> keys = [.. Protocol.AuthEvents.KeysFor(Pdu).Append(new StateKeyPair(EventTypes.Create, "")).Distinct()];
        return EventAuth.Check(Pdu, new AuthState((await stateEvents.Find(root, keys, ct)).OfType<Pdu>()), Room.Rules, Create);
    }

    /// <summary>
    /// The accepted events that it comes after. What it builds on may have been rejected or have failed softly; these are no ends of the room, but those
    /// before them may be.
    /// </summary>
    public async ValueTask<IReadOnlySet<EventId>> FindFollowed(EventStore store, CancellationToken ct)
    {
        const int most = 1000;
        var followed = new HashSet<EventId>();
        var seen = new HashSet<EventId>(Pdu.PrevEvents);
        for (var open = Prev.ToList(); open.Count > 0 && seen.Count < most;)
        {
            var further = new List<EventId>();
            foreach (var e in open)
            {
                if (e is { Rejected: null, SoftFailed: false })
                    followed.Add(e.EventId);
                else
                    further.AddRange(ToPdu(e).PrevEvents.Where(seen.Add));
            }
            open = await store.FindInRoom(Room.RoomNid, further, ct);
        }
        return followed;
    }

    Pdu ToPdu(StoredEvent e)
    {
        if (!parsed.TryGetValue(e.EventId, out var pdu))
            parsed[e.EventId] = pdu = Matrix.Protocol.Pdu.FromStored(e.EventId, e.Json, e.Rules);
        return pdu;
    }
}
