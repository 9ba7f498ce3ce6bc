using System.Buffers;
using System.Text.Json;

namespace Matrix.Protocol;

/// <summary>
/// Events in the format of the Client-Server API (C-S API, Room event format). Bytes are copied out of the stored event, not parsed;
/// <c>unsigned</c> always stands last, so that an event encoded once can get other unsigned members by <see cref="Splice"/>.
/// </summary>
public static class ClientEvent
{
    /// <summary>Content stands first: behind <c>{"content":</c>.</summary>
    const int ContentStart = 11;

    /// <summary>Writes an event as a JSON object.</summary>
    public static void Write(IBufferWriter<byte> output, Pdu pdu, ClientEventOptions? options = null)
    {
        options ??= ClientEventOptions.Default;
        output.Write("{\"content\":"u8);
        WriteContent(output, pdu);
        WriteMember(output, ",\"event_id\":"u8, pdu.EventId.ToString());
        output.Write(",\"origin_server_ts\":"u8);
        JsonText.Write(output, pdu.OriginServerTs);
        WriteMember(output, ",\"redacts\":"u8, pdu.Redacts?.ToString());
        if (options.IncludeRoomId)
            WriteMember(output, ",\"room_id\":"u8, pdu.RoomId.ToString());
        WriteMember(output, ",\"sender\":"u8, pdu.Sender.ToString());
        WriteMember(output, ",\"state_key\":"u8, pdu.StateKey);
        WriteMember(output, ",\"type\":"u8, pdu.Type);
        WriteUnsigned(output, options);
        output.Write("}"u8);
    }

    /// <summary>Writes an event as the next value of <paramref name="writer"/>.</summary>
    public static void Write(Utf8JsonWriter writer, Pdu pdu, ClientEventOptions? options = null)
    {
        var output = new ArrayBufferWriter<byte>(pdu.Json.Length + 256);
        Write(output, pdu, options);
        writer.WriteRawValue(output.WrittenSpan, skipInputValidation: true);
    }

    /// <summary>An event as bytes, to be kept and spliced.</summary>
    public static byte[] Encode(Pdu pdu, ClientEventOptions? options = null)
    {
        var output = new ArrayBufferWriter<byte>(pdu.Json.Length + 256);
        Write(output, pdu, options);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>
    /// An event as servers exchange it, for clients that ask for <c>event_format</c> "federation" (C-S API, Filtering): with its id, which most room versions
    /// leave out, and without <c>unsigned</c>. To be spliced.
    /// </summary>
    public static byte[] EncodeAsFederated(Pdu pdu)
    {
        var id = new ArrayBufferWriter<byte>(64);
        JsonText.Write(id, pdu.EventId.ToString());
        return JsonObjectEditor.With(pdu.Json.Span, "event_id"u8, id.WrittenSpan);
    }

    /// <summary>The <c>content</c> of an event encoded before: a slice of it.</summary>
    /// <param name="encoded">What <see cref="Encode"/> made.</param>
    public static ReadOnlyMemory<byte> Content(ReadOnlyMemory<byte> encoded) =>
        encoded[ContentStart..JsonSkip.Value(encoded.Span, ContentStart)];

    /// <summary>Writes an event encoded before without unsigned members, with these unsigned members. <c>IncludeRoomId</c> is not looked at.</summary>
    /// <param name="encoded">What <see cref="Encode"/> or <see cref="Write(IBufferWriter{byte}, Pdu, ClientEventOptions?)"/> made.</param>
    public static void Splice(IBufferWriter<byte> output, ReadOnlySpan<byte> encoded, ClientEventOptions unsigned)
    {
        output.Write(encoded[..^1]);
        WriteUnsigned(output, unsigned);
        output.Write("}"u8);
    }

    /// <summary>Writes a state event stripped to type, state key, sender and content (C-S API, Stripped state).</summary>
    public static void WriteStripped(IBufferWriter<byte> output, Pdu pdu)
    {
        output.Write("{\"content\":"u8);
        output.Write(pdu.ContentJson.Span);
        WriteMember(output, ",\"sender\":"u8, pdu.Sender.ToString());
        WriteMember(output, ",\"state_key\":"u8, pdu.StateKey ?? "");
        WriteMember(output, ",\"type\":"u8, pdu.Type);
        output.Write("}"u8);
    }

    /// <summary>Clients find the target of a redaction in the content and at the top level, whatever the room version.</summary>
    static void WriteContent(IBufferWriter<byte> output, Pdu pdu)
    {
        var content = pdu.ContentJson.Span;
        if (pdu.Redacts is not { } target || pdu.Rules.RedactsInContent || !JsonObjectReader.Find(content, "redacts"u8).IsEmpty)
        {
            output.Write(content);
            return;
        }
        output.Write(content[..^1]);
        WriteMember(output, content.Length > 2 ? ",\"redacts\":"u8 : "\"redacts\":"u8, target.ToString());
        output.Write("}"u8);
    }

    static void WriteUnsigned(IBufferWriter<byte> output, ClientEventOptions options)
    {
        if (!options.HasUnsigned)
            return;
        var first = true;
        output.Write(",\"unsigned\":{"u8);
        if (options.Age is { } age)
        {
            JsonObjectEditor.WriteRaw(output, "\"age\":"u8, ref first);
            JsonText.Write(output, age);
        }
        WriteText(output, "\"membership\":"u8, options.Membership, ref first);
        WriteText(output, "\"prev_sender\":"u8, options.PrevSender?.ToString(), ref first);
        WriteText(output, "\"replaces_state\":"u8, options.ReplacesState?.ToString(), ref first);
        WriteText(output, "\"transaction_id\":"u8, options.TransactionId, ref first);
        WriteJson(output, "\"prev_content\":"u8, options.PrevContent, ref first);
        WriteJson(output, "\"redacted_because\":"u8, options.RedactedBecause, ref first);
        WriteJson(output, "\"m.relations\":"u8, options.Relations, ref first);
        output.Write("}"u8);
    }

    static void WriteText(IBufferWriter<byte> output, ReadOnlySpan<byte> name, string? value, ref bool first)
    {
        if (value is null)
            return;
        JsonObjectEditor.WriteRaw(output, name, ref first);
        JsonText.Write(output, value);
    }

    static void WriteJson(IBufferWriter<byte> output, ReadOnlySpan<byte> name, ReadOnlyMemory<byte> value, ref bool first)
    {
        if (value.IsEmpty)
            return;
        JsonObjectEditor.WriteRaw(output, name, ref first);
        output.Write(value.Span);
    }

    static void WriteMember(IBufferWriter<byte> output, ReadOnlySpan<byte> name, string? value)
    {
        if (value is null)
            return;
        output.Write(name);
        JsonText.Write(output, value);
    }
}
