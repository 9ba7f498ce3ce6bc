using System.Diagnostics;
using System.Text.Json;

namespace Matrix.Protocol;

/// <summary>
/// An event of a room as servers exchange it (Server-Server API, PDUs; the format is the room version's). Immutable, safe to share
/// between threads; values out of the content are read on first use.
/// </summary>
[DebuggerDisplay("{Type} {EventId}")]
public sealed class Pdu
{
    /// <summary>The largest event, in bytes of canonical JSON with its signatures.</summary>
    public const int MaxBytes = 65536;

    object? _content;
    object? _powerLevels;

    internal Pdu(EventId eventId, ReadOnlyMemory<byte> json, RoomVersionRules rules, in PduFields fields)
    {
        EventId = eventId;
        Json = json;
        Rules = rules;
        Type = fields.Type!;
        StateKey = fields.StateKey;
        Sender = fields.Sender;
        Depth = fields.Depth;
        OriginServerTs = fields.OriginServerTs;
        PrevEvents = fields.PrevEvents;
        AuthEvents = fields.AuthEvents;
        HasRoomId = fields.RoomId is not null;
        RoomId = fields.RoomId ?? RoomId.FromCreateEvent(eventId);
        ContentJson = json[fields.Content];
        Redacts = Type == EventTypes.Redaction ? PduReader.ReadRedacts(this, fields.Redacts) : null;
    }

    /// <summary>The event's id: as it names itself in versions 1 and 2, its reference hash since (<see cref="RoomVersionRules.EventIds"/>).</summary>
    public EventId EventId { get; }

    /// <summary>The room; of a version 12 create event, the room that it makes.</summary>
    public RoomId RoomId { get; }

    /// <summary>The event's type, such as <c>m.room.message</c>; at most 255 bytes.</summary>
    public string Type { get; }

    /// <summary>The state key; null for an event that is not state.</summary>
    public string? StateKey { get; }

    /// <summary>Is this a state event?</summary>
    public bool IsState => StateKey is not null;

    /// <summary>Who sent it.</summary>
    public UserId Sender { get; }

    /// <summary>How many events were before it at most, as the sending server claims.</summary>
    public long Depth { get; }

    /// <summary>Milliseconds since 1970, as the sending server claims.</summary>
    public long OriginServerTs { get; }

    /// <summary>The events that it follows, at most 20.</summary>
    public IReadOnlyList<EventId> PrevEvents { get; }

    /// <summary>The events that allow it (<see cref="Matrix.Protocol.AuthEvents"/>), at most 10.</summary>
    public IReadOnlyList<EventId> AuthEvents { get; }

    /// <summary>What an <c>m.room.redaction</c> is to redact; null for other types or when it names no event.</summary>
    public EventId? Redacts { get; }

    /// <summary>The event as it was signed: canonical JSON without <c>unsigned</c>, and without <c>event_id</c> since version 3.</summary>
    public ReadOnlyMemory<byte> Json { get; }

    /// <summary>The content as canonical JSON; a slice of <see cref="Json"/>.</summary>
    public ReadOnlyMemory<byte> ContentJson { get; }

    /// <summary>The rules of the room's version.</summary>
    public RoomVersionRules Rules { get; }

    /// <summary>The content as a document, parsed on first use. Hot paths read <see cref="ContentJson"/> instead.</summary>
    public JsonElement Content => ((Box)(_content ??= new Box(JsonElement.Parse(ContentJson.Span)))).Element;

    /// <summary>Does the event name its room itself? A create event of version 12 must not.</summary>
    internal bool HasRoomId { get; }

    /// <summary>Of <c>m.room.member</c> the <c>membership</c>; null for other types or when it is no string.</summary>
    public string? Membership => Type == EventTypes.Member ? ContentString("membership"u8) : null;

    /// <summary>Of a restricted join, the user whose server vouches for it.</summary>
    public UserId? JoinAuthorisedBy =>
        UserId.TryParse(ContentString("join_authorised_via_users_server"u8), out var user) ? user : null;

    /// <summary>Is this the invite of a user who had been invited by mail or the like?</summary>
    public bool IsThirdPartyInvite =>
        Type == EventTypes.Member && Membership == "invite" && !JsonObjectReader.Find(ContentJson.Span, "third_party_invite"u8).IsEmpty;

    /// <summary>Does the hash in <c>hashes</c> fit the content? If not, only the redacted event may be used.</summary>
    public bool HasValidContentHash => EventHashes.ContentMatches(Json.Span);

    /// <summary>
    /// The reference hash in unpadded base64 (Server-Server API, Calculating the reference hash). Since version 3 it is the event id; before,
    /// <see cref="PduBuilder.ReferenceHashes"/> wants it.
    /// </summary>
    public string ReferenceHash => UnpaddedBase64.Encode(EventHashes.Reference(Json.Span, Rules));

    /// <summary>Reads an event from another server: canonical form, format and size of its room version, event id.</summary>
    /// <param name="json">The event in any form of JSON. <c>unsigned</c> is dropped.</param>
    /// <exception cref="InvalidJsonException">Not JSON, or against the room version's JSON rules.</exception>
    /// <exception cref="InvalidEventException">A member is missing or has the wrong form.</exception>
    /// <exception cref="EventTooLargeException">Above the size limits.</exception>
    public static Pdu Parse(ReadOnlyMemory<byte> json, RoomVersionRules rules) => PduReader.Parse(json.Span, rules);

    /// <summary>An event that was parsed or built before; nothing is hashed or checked.</summary>
    /// <param name="json">What <see cref="Json"/> was. It is kept, not copied.</param>
    /// <exception cref="InvalidEventException">It never was an event of this version.</exception>
    public static Pdu FromStored(EventId id, ReadOnlyMemory<byte> json, RoomVersionRules rules) =>
        new(id, json, rules, PduReader.Read(json.Span, rules));

    /// <summary>What is left of this event after a redaction; the event id stays.</summary>
    public Pdu Redact() => FromStored(EventId, Redaction.RedactCanonical(Json.Span, Rules.Redaction), Rules);

    /// <summary>A string out of the content; null if it is missing or something else. <paramref name="name"/> must need no escape.</summary>
    public string? ContentString(ReadOnlySpan<byte> name) => JsonText.ReadString(JsonObjectReader.Find(ContentJson.Span, name));

    /// <summary>The content of <c>m.room.power_levels</c>, read once.</summary>
    internal PowerLevelContent PowerLevelContent =>
        (PowerLevelContent)(_powerLevels ??= PowerLevelContent.Read(ContentJson.Span, Rules.PowerLevels));

    /// <inheritdoc/>
    public override string ToString() => $"{Type} {EventId}";

    sealed record Box(JsonElement Element);
}
