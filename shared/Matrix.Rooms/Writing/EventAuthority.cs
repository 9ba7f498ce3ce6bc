using System.Text.Json;
using Matrix.Protocol;
using Matrix.Rooms.State;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Writing;

/// <summary>What gives one event its permission.</summary>
/// <param name="State">The part of the room's state that the auth rules look at.</param>
/// <param name="Cited">What the event names as its auth events. In version 12 the create event is not among them.</param>
/// <param name="Policy">What the state says of the room's policy server.</param>
sealed record EventAuthority(AuthState State, IReadOnlyList<NumberedPdu> Cited, Pdu? Policy)
{
    static readonly StateKeyPair Create = new(EventTypes.Create, ""), PolicyKey = new(EventTypes.Policy, "");

    public static async ValueTask<EventAuthority> Load(
        StateEvents stateEvents, StateNodeId root, EventDraft draft, RoomVersionRules rules, CancellationToken ct)
    {
        var content = draft.Type == EventTypes.Member ? JsonElement.Parse(draft.Content.Span) : default;
        var keys = Protocol.AuthEvents.KeysFor(draft.Type, draft.StateKey, draft.Sender, content, rules);
        var found = await stateEvents.FindNumbered(root, keys.Contains(Create) ? [.. keys, PolicyKey] : [.. keys, Create, PolicyKey], ct);
        return new EventAuthority(
            new AuthState(found[..^1].OfType<NumberedPdu>().Select(e => e.Pdu)), [.. found.Take(keys.Count).OfType<NumberedPdu>()], found[^1]?.Pdu);
    }
}
