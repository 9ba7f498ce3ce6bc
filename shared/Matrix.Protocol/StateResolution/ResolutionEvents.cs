namespace Matrix.Protocol;

/// <summary>The events that one resolution has loaded, and the state it stands on.</summary>
sealed class ResolutionEvents(IStateResolutionSource source, RoomVersionRules rules, CancellationToken ct)
{
    readonly Dictionary<EventId, ResolutionEvent> _events = [];
    readonly HashSet<EventId> _asked = [];
    readonly Dictionary<StateKeyPair, EventId> _unconflicted = [];
    Pdu? _create;

    public RoomVersionRules Rules => rules;

    public CancellationToken Cancellation => ct;

    public async ValueTask Load(IEnumerable<EventId> ids)
    {
        var missing = ids.Where(_asked.Add).ToList();
        if (missing.Count == 0)
            return;
        foreach (var item in await source.LoadEvents(missing, ct))
            _events[item.Pdu.EventId] = item;
    }

    /// <summary>
    /// Loads what the auth checks of these events can ask for: their auth events, and what all states agree on at the places concerned.
    /// </summary>
    public async ValueTask LoadForChecks(IReadOnlyCollection<Pdu> pdus)
    {
        var keys = new HashSet<StateKeyPair> { new(EventTypes.PowerLevels, ""), new(EventTypes.Create, "") };
        foreach (var pdu in pdus)
            keys.UnionWith(AuthEvents.KeysFor(pdu));
        foreach (var (key, id) in await source.FindUnconflicted(keys, ct))
            _unconflicted[key] = id;
        var wanted = pdus.SelectMany(pdu => pdu.AuthEvents).Concat(_unconflicted.Values);
        await Load(pdus.FirstOrDefault()?.RoomId.CreateEventId is { } create ? wanted.Append(create) : wanted);
        _create = pdus.Select(Create).FirstOrDefault(found => found is not null);
    }

    public Pdu? Find(EventId id) => _events.TryGetValue(id, out var item) ? item.Pdu : null;

    public Pdu? FindUnconflicted(StateKeyPair key) => _unconflicted.TryGetValue(key, out var id) ? Find(id) : null;

    /// <summary>The event of this place among an event's auth events, rejected ones left out.</summary>
    public Pdu? FindAuthEvent(Pdu pdu, string type, string stateKey)
    {
        foreach (var id in pdu.AuthEvents)
            if (_events.TryGetValue(id, out var item) && !item.IsRejected && item.Pdu.Type == type && item.Pdu.StateKey == stateKey)
                return item.Pdu;
        return null;
    }

    /// <summary>The <c>m.room.power_levels</c> that an event cites, rejected or not.</summary>
    public Pdu? FindPowerLevels(Pdu pdu)
    {
        foreach (var id in pdu.AuthEvents)
            if (_events.TryGetValue(id, out var item) && item.Pdu.Type == EventTypes.PowerLevels && item.Pdu.StateKey == "")
                return item.Pdu;
        return null;
    }

    /// <summary>The power of an event's sender by the event's own auth events.</summary>
    public long SenderLevel(Pdu pdu) =>
        pdu.Type == EventTypes.Create ? PowerLevels.Read(null, pdu).For(pdu.Sender) : PowerLevels.Read(FindPowerLevels(pdu), Create(pdu)).For(pdu.Sender);

    /// <summary>Is this event allowed in this state?</summary>
    /// <param name="useAuthEvents">Take what the state lacks from the event's own auth events?</param>
    public bool IsAllowed(Pdu pdu, IReadOnlyDictionary<StateKeyPair, Pdu> state, bool useAuthEvents) =>
        EventAuth.Check(pdu, new State(this, pdu, state, useAuthEvents), rules, rules.RoomIdIsCreateHash ? _create : null).Allowed;

    Pdu? Create(Pdu pdu) =>
        pdu.RoomId.CreateEventId is { } id && rules.RoomIdIsCreateHash ? Find(id) : FindAuthEvent(pdu, EventTypes.Create, "");

    sealed class State(ResolutionEvents events, Pdu pdu, IReadOnlyDictionary<StateKeyPair, Pdu> state, bool useAuthEvents) : IAuthState
    {
        public Pdu? Find(string type, string stateKey) =>
            state.TryGetValue(new(type, stateKey), out var found) ? found
            : useAuthEvents ? events.FindAuthEvent(pdu, type, stateKey) : null;
    }
}
