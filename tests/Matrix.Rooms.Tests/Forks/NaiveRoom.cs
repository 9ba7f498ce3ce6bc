using Matrix.Protocol;
using Matrix.Protocol.Tests;
using RoomMap = System.Collections.Generic.Dictionary<Matrix.Protocol.StateKeyPair, Matrix.Protocol.EventId>;

namespace Matrix.Rooms.Tests.Forks;

/// <summary>What should become of events that arrive one after the other, written down from the specification, all in memory.</summary>
sealed class NaiveRoom(RoomVersionRules rules)
{
    readonly Dictionary<EventId, ResolutionEvent> events = [];
    readonly Dictionary<EventId, RoomMap> after = [];
    readonly Dictionary<EventId, Reception> receptions = [];
    Pdu? create;

    public HashSet<EventId> Extremities { get; } = [];

    public RoomMap Current { get; private set; } = [];

    public Reception Receive(Pdu pdu)
    {
        if (receptions.TryGetValue(pdu.EventId, out var past))
            return past;
        create ??= pdu;
        var before = StateAfter(pdu.PrevEvents);
        var cited = pdu.AuthEvents.Select(id => events[id]).ToList();
        var allowed = EventAuth.CheckAuthEvents(pdu, [.. cited.Select(e => e.Pdu)], id => events[id].IsRejected).Allowed
            && EventAuth.Check(pdu, new AuthState(cited.Select(e => e.Pdu)), rules, rules.RoomIdIsCreateHash ? create : null).Allowed
            && IsAllowed(pdu, before);
        var reception = !allowed ? Reception.Rejected : IsAllowed(pdu, Current) ? Reception.Accepted : Reception.SoftFailed;
        events[pdu.EventId] = new ResolutionEvent(pdu, !allowed);
        receptions[pdu.EventId] = reception;
        after[pdu.EventId] = allowed && pdu.IsState ? new RoomMap(before) { [new(pdu.Type, pdu.StateKey!)] = pdu.EventId } : before;
        if (reception == Reception.Accepted)
        {
            Follow(pdu);
            Current = Resolve(Extremities.Select(id => after[id]));
        }
        return reception;
    }

    /// <summary>The state before an event that builds on these.</summary>
    public RoomMap StateAfter(IReadOnlyCollection<EventId> prev) => prev.Count == 0 ? [] : Resolve(prev.Select(id => after[id]));

    void Follow(Pdu pdu)
    {
        var open = new Stack<EventId>(pdu.PrevEvents);
        while (open.TryPop(out var prev))
        {
            Extremities.Remove(prev);
            if (receptions[prev] != Reception.Accepted)
            {
                foreach (var further in events[prev].Pdu.PrevEvents)
                    open.Push(further);
            }
        }
        Extremities.Add(pdu.EventId);
    }

    bool IsAllowed(Pdu pdu, RoomMap state) =>
        EventAuth.Check(pdu, new AuthState(state.Values.Select(id => events[id].Pdu)), rules, rules.RoomIdIsCreateHash ? create : null).Allowed;

    RoomMap Resolve(IEnumerable<RoomMap> states) => states.ToList() is [var only] ? only : new NaiveResolution(events, rules).Resolve([.. states]);
}
