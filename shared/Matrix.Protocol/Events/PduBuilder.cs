using System.Buffers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;

namespace Matrix.Protocol;

/// <summary>Makes new events: canonical JSON, content hash, signature, event id.</summary>
public sealed class PduBuilder
{
    /// <summary>The event's type, such as <c>m.room.message</c>; at most 255 bytes.</summary>
    public required string Type { get; init; }

    /// <summary>The state key; null for an event that is not state.</summary>
    public string? StateKey { get; init; }

    /// <summary>Who sends it.</summary>
    public required UserId Sender { get; init; }

    /// <summary>The room; null only for a create event of version 12, whose hash becomes the room's id.</summary>
    public RoomId? RoomId { get; init; }

    /// <summary>The content: a JSON object in any form. Set this or <see cref="ContentElement"/>.</summary>
    public ReadOnlyMemory<byte> Content { get; init; }

    /// <summary>The content as a document, for callers that have one.</summary>
    public JsonElement ContentElement { get; init; }

    /// <summary>The events that it follows: the room's forward extremities, at most 20.</summary>
    public IReadOnlyList<EventId> PrevEvents { get; init; } = [];

    /// <summary>The events that allow it: those at the places that <see cref="Matrix.Protocol.AuthEvents"/> names.</summary>
    public IReadOnlyList<EventId> AuthEvents { get; init; } = [];

    /// <summary>The greatest depth of the previous events, plus one; cut off at <see cref="RoomVersionRules.MaxDepth"/>.</summary>
    public long Depth { get; init; }

    /// <summary>Milliseconds since 1970.</summary>
    public long OriginServerTs { get; init; }

    /// <summary>What a redaction redacts; goes where the room version wants it.</summary>
    public EventId? Redacts { get; init; }

    /// <summary>For versions 1 and 2: <see cref="Pdu.ReferenceHash"/> of the previous and auth events. Missing ones are left out.</summary>
    public IReadOnlyDictionary<EventId, string>? ReferenceHashes { get; init; }

    /// <summary>For versions 1 and 2: the id. Null makes one from the event's content.</summary>
    public EventId? EventId { get; init; }

    /// <summary>The finished event.</summary>
    /// <param name="origin">The server whose key signs; the sender's.</param>
    /// <exception cref="InvalidJsonException">The content is against the room version's JSON rules.</exception>
    /// <exception cref="InvalidEventException">The event would not have the format of the room version.</exception>
    /// <exception cref="EventTooLargeException">The event would be above the size limits.</exception>
    public Pdu Build(RoomVersionRules rules, ServerName origin, SigningKey key)
    {
        var content = Canonical(rules);
        var json = Write(content, rules, rules.HasAssignedEventIds ? EventId ?? MakeId(content, rules, origin) : null);
        var hashed = JsonObjectEditor.With(json, "hashes"u8, EventHashes.Format(SHA256.HashData(json)));
        var signed = EventSignatures.SignCanonical(hashed, rules, origin, key);
        return PduReader.FromCanonical(signed, rules);
    }

    byte[] Canonical(RoomVersionRules rules)
    {
        var content = ContentElement.ValueKind == JsonValueKind.Undefined
            ? CanonicalJson.Canonicalize(Content.Span, rules.Json)
            : CanonicalJson.Canonicalize(JsonMarshal.GetRawUtf8Value(ContentElement), rules.Json);
        if (content[0] != '{')
            throw new InvalidEventException("The content of an event is an object.");
        if (Redacts is not { } target || !rules.RedactsInContent)
            return content;
        var quoted = new ArrayBufferWriter<byte>();
        JsonText.Write(quoted, target.ToString());
        return JsonObjectEditor.With(content, "redacts"u8, quoted.WrittenSpan);
    }

    EventId MakeId(byte[] content, RoomVersionRules rules, ServerName origin)
    {
        var hash = SHA256.HashData(Write(content, rules, null));
        return Protocol.EventId.Create(UnpaddedBase64.EncodeUrlSafe(hash.AsSpan(0, 18)), origin);
    }

    /// <summary>The event without hash and signature; the keys are in canonical order as they stand here.</summary>
    byte[] Write(byte[] content, RoomVersionRules rules, EventId? eventId)
    {
        var output = new ArrayBufferWriter<byte>(content.Length + 512);
        output.Write("{\"auth_events\":"u8);
        WriteReferences(output, AuthEvents, rules);
        output.Write(",\"content\":"u8);
        output.Write(content);
        output.Write(",\"depth\":"u8);
        JsonText.Write(output, Math.Min(Depth, rules.MaxDepth));
        WriteMember(output, ",\"event_id\":"u8, eventId?.ToString());
        output.Write(",\"origin_server_ts\":"u8);
        JsonText.Write(output, OriginServerTs);
        output.Write(",\"prev_events\":"u8);
        WriteReferences(output, PrevEvents, rules);
        WriteMember(output, ",\"redacts\":"u8, rules.RedactsInContent ? null : Redacts?.ToString());
        WriteMember(output, ",\"room_id\":"u8, RoomId?.ToString());
        WriteMember(output, ",\"sender\":"u8, Sender.ToString());
        WriteMember(output, ",\"state_key\":"u8, StateKey);
        WriteMember(output, ",\"type\":"u8, Type);
        output.Write("}"u8);
        return output.WrittenSpan.ToArray();
    }

    void WriteReferences(ArrayBufferWriter<byte> output, IReadOnlyList<EventId> references, RoomVersionRules rules)
    {
        output.Write("["u8);
        for (var i = 0; i < references.Count; i++)
        {
            if (i > 0)
                output.Write(","u8);
            if (rules.HasAssignedEventIds)
                output.Write("["u8);
            JsonText.Write(output, references[i].ToString());
            if (rules.HasAssignedEventIds)
                WriteHash(output, references[i]);
        }
        output.Write("]"u8);
    }

    void WriteHash(ArrayBufferWriter<byte> output, EventId reference)
    {
        output.Write(",{"u8);
        WriteMember(output, "\"sha256\":"u8, ReferenceHashes?.GetValueOrDefault(reference));
        output.Write("}]"u8);
    }

    static void WriteMember(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> name, string? value)
    {
        if (value is null)
            return;
        output.Write(name);
        JsonText.Write(output, value);
    }
}
