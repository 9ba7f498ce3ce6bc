using System.Buffers;
using System.Text.Json;
using Matrix.Storage.Rooms;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync;

/// <summary>Turns a stored event into its client format: one pass over the bytes, values copied as they are.</summary>
static class EventEncoder
{
    /// <param name="json">The event as stored, or redacted.</param>
    public static EncodedEvent Encode(EventRow stored, ReadOnlyMemory<byte> json)
    {
        var output = new ArrayBufferWriter<byte>(json.Length);
        var splicer = new JsonSplicer(output);
        var parts = Copy(json.Span, splicer, stored);
        var head = output.WrittenSpan.ToArray();
        return new EncodedEvent(
            stored.EventNid, stored.EventId, stored.RoomNid, stored.RoomId, stored.Position, stored.Type, stored.StateKey, stored.Sender,
            stored.OriginServerTs, head, head.AsMemory(parts.ContentStart, parts.ContentLength), parts.Membership, parts.Redacts,
            Root(stored.StateBefore), Root(stored.RoomState), stored.RedactedBy, stored.DeviceId, stored.TxnId);
    }

    static StateNodeId? Root(byte[]? stored) => stored is null ? null : StateNodeId.Read(stored);

    static Parts Copy(ReadOnlySpan<byte> json, JsonSplicer to, EventRow stored)
    {
        var parts = new Parts();
        var reader = new Utf8JsonReader(json);
        reader.Read();
        to.Raw("{\"event_id\":"u8);
        to.String(stored.EventId);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = Name(ref reader);
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            var value = reader;
            reader.Skip();
            if (name.IsEmpty)
                continue;
            to.Raw(",\""u8);
            to.Raw(name);
            to.Raw("\":"u8);
            var length = (int)reader.BytesConsumed - start;
            if (name.SequenceEqual("content"u8))
                (parts.ContentStart, parts.ContentLength) = (to.Length, length);
            to.Raw(json.Slice(start, length));
            parts.Look(name, ref value, stored.Type);
        }
        Complete(to, ref parts, stored);
        return parts;
    }

    /// <summary>The name, when clients get this member; empty otherwise.</summary>
    static ReadOnlySpan<byte> Name(ref Utf8JsonReader reader) =>
        reader.ValueTextEquals("content"u8) ? "content"u8
        : reader.ValueTextEquals("origin_server_ts"u8) ? "origin_server_ts"u8
        : reader.ValueTextEquals("redacts"u8) ? "redacts"u8
        : reader.ValueTextEquals("sender"u8) ? "sender"u8
        : reader.ValueTextEquals("state_key"u8) ? "state_key"u8
        : reader.ValueTextEquals("type"u8) ? "type"u8
        : default;

    // Room version 11 moved "redacts" into content; clients of either age must find it (m.room.redaction, "redacts").
    static void Complete(JsonSplicer to, ref Parts parts, EventRow stored)
    {
        if (stored.Type == "m.room.redaction" && parts is { Redacts: not null, RedactsAtTop: false })
        {
            to.Raw(",\"redacts\":"u8);
            to.String(parts.Redacts);
        }
    }

    struct Parts
    {
        public int ContentStart;
        public int ContentLength;
        public string? Membership;
        public string? Redacts;
        public bool RedactsAtTop;

        public void Look(scoped ReadOnlySpan<byte> name, scoped ref Utf8JsonReader value, string type)
        {
            if (name.SequenceEqual("redacts"u8))
            {
                RedactsAtTop = true;
                Redacts = value.TokenType == JsonTokenType.String ? value.GetString() : null;
            }
            else if (name.SequenceEqual("content"u8) && type == "m.room.member")
                Membership = FindString(ref value, "membership"u8);
            else if (name.SequenceEqual("content"u8) && type == "m.room.redaction")
                Redacts ??= FindString(ref value, "redacts"u8);
        }

        static string? FindString(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> member)
        {
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var found = reader.ValueTextEquals(member);
                reader.Read();
                if (found)
                    return reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
                reader.Skip();
            }
            return null;
        }
    }
}
