using Matrix.ClientApi.Sync.Relations;

namespace Matrix.ClientApi.Sync;

/// <summary>Whom events are written for, and how.</summary>
/// <param name="Now">Milliseconds since 1970, for <c>unsigned.age</c>.</param>
/// <param name="WithRoomId">In answers that do not name the room otherwise.</param>
/// <param name="Depth">0 for an event of the answer, 1 for one that such an event shows, 2 for one that that one shows.</param>
readonly record struct EventAudience(string UserId, string DeviceId, long Now, bool WithRoomId, int Depth = 0);

/// <summary>Splices events into an answer: the encoded head, then what depends on the reader and the moment.</summary>
static class EventWriter
{
    public static void Write(JsonSplicer to, EncodedEvent e, EventBatch batch, in EventAudience audience)
    {
        to.Raw(e.Head.Span);
        if (audience.WithRoomId)
        {
            to.Raw(",\"room_id\":"u8);
            to.String(e.RoomId);
        }
        to.Raw(",\"unsigned\":{\"age\":"u8);
        to.Number(Math.Max(0, audience.Now - e.OriginServerTs));
        if (e.TransactionId is not null && e.Sender == audience.UserId && e.DeviceId == audience.DeviceId)
        {
            to.Raw(",\"transaction_id\":"u8);
            to.String(e.TransactionId);
        }
        if (e.Replaces is > 0 and var nid && batch.Find(nid) is { } replaced)
            WriteReplaced(to, replaced);
        if (e.RedactedBy is { } redactedBy && batch.Find(redactedBy) is { } redaction)
        {
            to.Raw(",\"redacted_by\":"u8);
            to.String(redaction.EventId);
            to.Raw(",\"redacted_because\":"u8);
            Write(to, redaction, batch, audience with { WithRoomId = true });
        }
        if (audience.Depth < 2 && batch.FindBundle(e.Nid) is { } bundle)
            WriteBundle(to, bundle, batch, audience with { WithRoomId = true, Depth = audience.Depth + 1 });
        to.Raw("}}"u8);
    }

    // An event that another one shows is shown without its thread: threads do not nest, and events that say otherwise must not lead in circles.
    static void WriteBundle(JsonSplicer to, Bundle bundle, EventBatch batch, in EventAudience audience)
    {
        to.Raw(",\"m.relations\":{"u8);
        var first = true;
        if (bundle.Edit is { } edit)
        {
            to.Comma(ref first);
            to.Raw("\"m.replace\":"u8);
            Write(to, edit, batch, audience with { Depth = 2 });
        }
        if (bundle.Thread is { } thread && audience.Depth == 1)
        {
            to.Comma(ref first);
            to.Raw("\"m.thread\":{\"latest_event\":"u8);
            Write(to, thread.Latest, batch, audience);
            to.Raw(",\"count\":"u8);
            to.Number(thread.Count);
            to.Raw(",\"current_user_participated\":"u8);
            to.Boolean(thread.Participated);
            to.Raw("}"u8);
        }
        if (bundle.References.Count > 0)
            WriteReferences(to, bundle.References, ref first);
        to.Raw("}"u8);
    }

    static void WriteReferences(JsonSplicer to, IReadOnlyList<string> references, ref bool first)
    {
        to.Comma(ref first);
        to.Raw("\"m.reference\":{\"chunk\":["u8);
        var firstReference = true;
        foreach (var eventId in references)
        {
            to.Comma(ref firstReference);
            to.Raw("{\"event_id\":"u8);
            to.String(eventId);
            to.Raw("}"u8);
        }
        to.Raw("]}"u8);
    }

    static void WriteReplaced(JsonSplicer to, EncodedEvent replaced)
    {
        to.Raw(",\"prev_content\":"u8);
        to.Raw(replaced.Content.Span);
        to.Raw(",\"prev_sender\":"u8);
        to.String(replaced.Sender);
        to.Raw(",\"replaces_state\":"u8);
        to.String(replaced.EventId);
    }

    /// <summary>As stripped state: sender, type, state_key and content (Client-Server API, "Stripped state").</summary>
    public static void WriteStripped(JsonSplicer to, EncodedEvent e)
    {
        to.Raw("{\"type\":"u8);
        to.String(e.Type);
        to.Raw(",\"state_key\":"u8);
        to.String(e.StateKey ?? "");
        to.Raw(",\"sender\":"u8);
        to.String(e.Sender);
        to.Raw(",\"content\":"u8);
        to.Raw(e.Content.Span);
        to.Raw("}"u8);
    }
}
