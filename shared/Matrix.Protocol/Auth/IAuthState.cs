namespace Matrix.Protocol;

/// <summary>
/// The room state that an event is checked against. Callers preload what <see cref="AuthEvents.KeysFor(Pdu)"/> names; two kinds exist:
/// the state itself, and state put together from an event's auth events.
/// </summary>
public interface IAuthState
{
    /// <summary>The event at this place of the state; null if there is none.</summary>
    Pdu? Find(string type, string stateKey);
}

/// <summary>State held in memory; of two events for one place the last counts.</summary>
public sealed class AuthState : IAuthState
{
    readonly Dictionary<StateKeyPair, Pdu> _events = [];

    /// <param name="events">The events of the state; those without a state key are left out.</param>
    public AuthState(IEnumerable<Pdu> events)
    {
        foreach (var pdu in events)
            if (pdu.StateKey is { } stateKey)
                _events[new(pdu.Type, stateKey)] = pdu;
    }

    /// <inheritdoc/>
    public Pdu? Find(string type, string stateKey) => _events.GetValueOrDefault(new(type, stateKey));
}
