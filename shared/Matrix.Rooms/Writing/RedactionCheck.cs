using System.Text.Json;
using System.Text.Json.Nodes;
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
        var target = draft.Redacts ?? TargetIn(draft.Content) ?? throw RoomException.Invalid("The redaction does not say what to redact.");
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

    /// <summary>
    /// A redaction may be sent as any message, with <c>redacts</c> in its content: where the room's version has it beside the content it is moved there.
    /// </summary>
    public static EventDraft Place(EventDraft draft, RoomVersionRules rules)
    {
        if (rules.RedactsInContent || draft.Redacts is not null || TargetIn(draft.Content) is not { } target)
            return draft;
        var content = JsonNode.Parse(draft.Content.Span)!.AsObject();
        content.Remove("redacts");
        return draft with { Redacts = target, Content = JsonSerializer.SerializeToUtf8Bytes(content) };
    }

    static EventId? TargetIn(ReadOnlyMemory<byte> content) =>
        JsonElement.Parse(content.Span).TryGetProperty("redacts", out var redacts)
            && redacts.ValueKind == JsonValueKind.String && EventId.TryParse(redacts.GetString(), out var target) ? target : null;
}
