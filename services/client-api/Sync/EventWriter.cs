namespace Matrix.ClientApi.Sync;

/// <summary>Whom events are written for, and how.</summary>
/// <param name="Now">Milliseconds since 1970, for <c>unsigned.age</c>.</param>
/// <param name="WithRoomId">In answers that do not name the room otherwise.</param>
readonly record struct EventAudience(string UserId, string DeviceId, long Now, bool WithRoomId);

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
        to.Raw("}}"u8);
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
