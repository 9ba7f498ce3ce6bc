namespace Matrix.Protocol;

/// <summary>The relation of an event to another: <c>content.m.relates_to</c> (C-S API, Forming relationships between events).</summary>
/// <param name="RelType">Such as <c>m.thread</c>, <c>m.replace</c>, <c>m.annotation</c>, <c>m.reference</c>; null for a plain reply.</param>
/// <param name="EventId">The event related to; null for a plain reply.</param>
/// <param name="Key">Of an annotation, what it says.</param>
/// <param name="InReplyTo">The event replied to.</param>
/// <param name="IsFallingBack">Is the reply only there for clients without threads?</param>
public sealed record EventRelation(string? RelType, EventId? EventId, string? Key, EventId? InReplyTo, bool IsFallingBack)
{
    const int MaxRelType = 255;

    /// <summary>A reaction (C-S API, Event annotations and reactions).</summary>
    public const string Annotation = "m.annotation";
    /// <summary>A reference without further meaning (C-S API, Reference relations).</summary>
    public const string Reference = "m.reference";
    /// <summary>An edit (C-S API, Event replacements).</summary>
    public const string Replace = "m.replace";
    /// <summary>An event in a thread (C-S API, Threading).</summary>
    public const string Thread = "m.thread";

    /// <summary>The root of the thread that the event is in; null if it is in none.</summary>
    public EventId? ThreadRoot => RelType == Thread ? EventId : null;

    /// <summary>The relation of an event; null if it has none, or none that can be understood.</summary>
    public static EventRelation? Read(Pdu pdu) => Read(pdu.ContentJson.Span);

    /// <summary>The relation that the content of an event, as canonical JSON, tells of; null if there is none, or none that can be understood.</summary>
    /// <param name="content">The value of <c>content</c>.</param>
    public static EventRelation? Read(ReadOnlySpan<byte> content)
    {
        var relates = JsonObjectReader.Find(content, "m.relates_to"u8);
        if (relates.IsEmpty || relates[0] != '{')
            return null;
        var relType = JsonText.ReadString(JsonObjectReader.Find(relates, "rel_type"u8));
        var target = ReadId(JsonObjectReader.Find(relates, "event_id"u8));
        var reply = JsonObjectReader.Find(relates, "m.in_reply_to"u8);
        var inReplyTo = reply.IsEmpty || reply[0] != '{' ? null : ReadId(JsonObjectReader.Find(reply, "event_id"u8));
        // a type is a word: one of 60 KB is none that can be looked for
        if (relType is null or { Length: > MaxRelType } || target is null)
            return inReplyTo is null ? null : new EventRelation(null, null, null, inReplyTo, false);
        return new EventRelation(relType, target, JsonText.ReadString(JsonObjectReader.Find(relates, "key"u8)), inReplyTo,
            JsonObjectReader.Find(relates, "is_falling_back"u8).SequenceEqual("true"u8));
    }

    /// <summary>May this replacement take the place of the original (C-S API, Validity of replacement events)?</summary>
    public static bool IsValidReplacement(Pdu replacement, Pdu original) =>
        IsReplacement(replacement) && Read(replacement)!.EventId == original.EventId
        && replacement.RoomId == original.RoomId && replacement.Sender == original.Sender && replacement.Type == original.Type
        && !original.IsState && Read(original)?.RelType != Replace;

    /// <summary>
    /// Is this an edit as far as it shows without the original: no state, and with <c>m.new_content</c>, which an encrypted event has inside?
    /// </summary>
    public static bool IsReplacement(Pdu pdu) =>
        !pdu.IsState && Read(pdu) is { RelType: Replace }
        && (pdu.Type == EventTypes.Encrypted || !JsonObjectReader.Find(pdu.ContentJson.Span, "m.new_content"u8).IsEmpty);

    static EventId? ReadId(ReadOnlySpan<byte> value) =>
        Protocol.EventId.TryParse(JsonText.ReadString(value), out var id) ? id : null;
}
