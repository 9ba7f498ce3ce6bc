using Matrix.Protocol;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Writing;

/// <summary>
/// May a user of this server redact an event? Since room version 3 the auth rules let everybody send redactions, and what counts is whether servers apply
/// them (spec, Handling redactions); a redaction that would not count is refused here.
/// </summary>
sealed class RedactionCheck(EventStore events, EventChain chain)
{
    /// <summary>What is to be redacted.</summary>
    /// <exception cref="RoomException">The user may not redact it, or there is nothing to redact.</exception>
    public async ValueTask<StoredEvent> Demand(EventDraft draft, CancellationToken ct)
    {
        var target = draft.Redacts ?? TargetInContent(draft) ?? throw RoomException.Invalid("The redaction does not say what to redact.");
        var stored = await events.FindByEventId(target, ct);
        if (stored is null || stored.RoomNid != chain.Room.RoomNid)
            throw RoomException.NotFound($"There is no event {target} in this room.");
        if (stored.Type == EventTypes.Create)
            throw RoomException.Forbidden("The create event cannot be redacted.");
        if (stored.Sender == draft.Sender)
            return stored;
        var levels = await chain.PowerLevels(ct);
        if (levels.For(draft.Sender) < levels.Redact)
            throw RoomException.Forbidden("You may redact only your own events in this room.");
        return stored;
    }

    EventId? TargetInContent(EventDraft draft) =>
        chain.Room.Rules.RedactsInContent
            && System.Text.Json.JsonElement.Parse(draft.Content.Span).TryGetProperty("redacts", out var redacts)
            && redacts.ValueKind == System.Text.Json.JsonValueKind.String
            && EventId.TryParse(redacts.GetString(), out var target) ? target : null;
}
