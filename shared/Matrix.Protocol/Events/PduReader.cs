namespace Matrix.Protocol;

/// <summary>The members of an event that the protocol reads.</summary>
struct PduFields()
{
    public string? Type;
    public string? StateKey;
    public UserId Sender;
    public RoomId? RoomId;
    public long Depth;
    public long OriginServerTs;
    public IReadOnlyList<EventId> PrevEvents = [];
    public IReadOnlyList<EventId> AuthEvents = [];
    public Range Content;
    public string? Redacts;
    public Seen Seen;
}

/// <summary>Which members an event had.</summary>
[Flags]
enum Seen
{
    None = 0,
    Sender = 1,
    Depth = 2,
    Timestamp = 4,
    PrevEvents = 8,
    AuthEvents = 16,
    Content = 32,
    Hashes = 64,
    Signatures = 128,
    All = 255,
}

/// <summary>Reads events out of canonical JSON.</summary>
static class PduReader
{
    const int MaxPrevEvents = 20;
    const int MaxAuthEvents = 10;

    public static Pdu Parse(ReadOnlySpan<byte> json, RoomVersionRules rules)
    {
        var canonical = CanonicalJson.Canonicalize(json, rules.Json);
        if (canonical[0] != '{')
            throw new InvalidEventException("An event is an object.");
        if (!JsonObjectReader.Find(canonical, "unsigned"u8).IsEmpty)
            canonical = JsonObjectEditor.Without(canonical, "unsigned");
        return FromCanonical(canonical, rules);
    }

    /// <summary>Checks a canonical event without <c>unsigned</c> and gives it its id.</summary>
    public static Pdu FromCanonical(byte[] canonical, RoomVersionRules rules)
    {
        if (canonical.Length > Pdu.MaxBytes)
            throw new EventTooLargeException($"The event has {canonical.Length} bytes; {Pdu.MaxBytes} are allowed.");
        var fields = Read(canonical, rules);
        CheckComplete(fields, rules);
        return new Pdu(EventHashes.EventId(canonical, rules), canonical, rules, fields);
    }

    public static PduFields Read(ReadOnlySpan<byte> canonical, RoomVersionRules rules)
    {
        var fields = new PduFields();
        var reader = new JsonObjectReader(canonical);
        while (reader.MoveNext())
            ReadMember(ref fields, reader, rules);
        if (fields.Type is null)
            throw new InvalidEventException("The event has no 'type'.");
        if (fields.RoomId is null && !(rules.RoomIdIsCreateHash && fields.Type == EventTypes.Create))
            throw new InvalidEventException("The event has no 'room_id'.");
        return fields;
    }

    public static EventId? ReadRedacts(Pdu pdu, string? topLevel) =>
        EventId.TryParse(pdu.Rules.RedactsInContent ? pdu.ContentString("redacts"u8) : topLevel, out var id) ? id : null;

    static void ReadMember(ref PduFields fields, in JsonObjectReader reader, RoomVersionRules rules)
    {
        var value = reader.Value;
        if (reader.Name.SequenceEqual("type"u8))
            fields.Type = Limited(value, "type");
        else if (reader.Name.SequenceEqual("state_key"u8))
            fields.StateKey = Limited(value, "state_key");
        else if (reader.Name.SequenceEqual("room_id"u8))
            fields.RoomId = RoomId.TryParse(Limited(value, "room_id"), out var room) ? room : throw Bad("room_id");
        else if (reader.Name.SequenceEqual("sender"u8))
        {
            fields.Sender = UserId.TryParse(Limited(value, "sender"), out var sender) ? sender : throw Bad("sender");
            fields.Seen |= Seen.Sender;
        }
        else if (reader.Name.SequenceEqual("content"u8))
        {
            fields.Content = value[0] == '{' ? reader.ValueStart..reader.ValueEnd : throw Bad("content");
            fields.Seen |= Seen.Content;
        }
        else if (reader.Name.SequenceEqual("depth"u8))
        {
            fields.Depth = JsonText.ReadInteger(value) is >= 0 and var depth ? depth : throw Bad("depth");
            fields.Seen |= Seen.Depth;
        }
        else
            ReadOther(ref fields, reader, value, rules);
    }

    static void ReadOther(ref PduFields fields, in JsonObjectReader reader, ReadOnlySpan<byte> value, RoomVersionRules rules)
    {
        if (reader.Name.SequenceEqual("origin_server_ts"u8))
        {
            fields.OriginServerTs = JsonText.ReadInteger(value) ?? throw Bad("origin_server_ts");
            fields.Seen |= Seen.Timestamp;
        }
        else if (reader.Name.SequenceEqual("prev_events"u8))
        {
            fields.PrevEvents = ReadReferences(value, rules, "prev_events");
            fields.Seen |= Seen.PrevEvents;
        }
        else if (reader.Name.SequenceEqual("auth_events"u8))
        {
            fields.AuthEvents = ReadReferences(value, rules, "auth_events");
            fields.Seen |= Seen.AuthEvents;
        }
        else if (reader.Name.SequenceEqual("redacts"u8))
            fields.Redacts = JsonText.ReadString(value);
        else if (reader.Name.SequenceEqual("hashes"u8))
            fields.Seen |= value[0] == '{' ? Seen.Hashes : throw Bad("hashes");
        else if (reader.Name.SequenceEqual("signatures"u8))
            fields.Seen |= value[0] == '{' ? Seen.Signatures : throw Bad("signatures");
    }

    /// <summary>Event ids, or in versions 1 and 2 pairs of an id and its hash.</summary>
    static List<EventId> ReadReferences(ReadOnlySpan<byte> value, RoomVersionRules rules, string member)
    {
        if (value[0] != '[')
            throw Bad(member);
        var ids = new List<EventId>(4);
        var reader = new JsonArrayReader(value);
        while (reader.MoveNext())
        {
            var reference = reader.Value;
            if (rules.HasAssignedEventIds)
            {
                var pair = reference[0] == '[' ? new JsonArrayReader(reference) : throw Bad(member);
                reference = pair.MoveNext() ? pair.Value : throw Bad(member);
            }
            ids.Add(EventId.TryParse(JsonText.ReadString(reference), out var id) ? id : throw Bad(member));
        }
        return ids;
    }

    /// <summary>What only a new event has to keep to; old ones may be in the store from looser times.</summary>
    static void CheckComplete(in PduFields fields, RoomVersionRules rules)
    {
        if (fields.Seen != Seen.All)
            throw new InvalidEventException($"The event lacks: {Seen.All & ~fields.Seen}.");
        if (fields.PrevEvents.Count > MaxPrevEvents || fields.AuthEvents.Count > MaxAuthEvents)
            throw new InvalidEventException($"More than {MaxPrevEvents} prev_events or {MaxAuthEvents} auth_events.");
        if (fields.RoomId is { } room && (room.Server is null) != rules.RoomIdIsCreateHash)
            throw new InvalidEventException("The room id has not the form of the room version.");
        // as in identifiers; what has a place in a room has to be found by it
        if (fields.Type!.Contains('\0', StringComparison.Ordinal) || fields.StateKey?.Contains('\0', StringComparison.Ordinal) == true)
            throw new InvalidEventException("A 'type' or 'state_key' has no NUL.");
    }

    static string Limited(ReadOnlySpan<byte> value, string member)
    {
        var text = JsonText.ReadString(value) ?? throw Bad(member);
        // The canonical form is never shorter than the text, so only an escaped one needs counting.
        if (value.Length - 2 > Grammar.MaxBytes && System.Text.Encoding.UTF8.GetByteCount(text) > Grammar.MaxBytes)
            throw new EventTooLargeException($"'{member}' is above {Grammar.MaxBytes} bytes.");
        return text;
    }

    static InvalidEventException Bad(string member) => new($"The event's '{member}' has not the form of the room version.");
}
