using System.Buffers;
using System.Text.Json;
using Matrix.Protocol;

namespace Matrix.Rooms.Joining;

/// <summary>What a user is shown of a room from outside (C-S API, Stripped state): as other servers send it, checked, in the form that clients get.</summary>
static class StrippedState
{
    /// <summary>What others send beyond this is left out.</summary>
    const int MaxEvents = 50;

    const int MaxBytes = 256 << 10;

    /// <summary>A JSON array of those of the events that have the members that clients are shown, and nothing else of them.</summary>
    /// <param name="events">PDUs or stripped events.</param>
    public static byte[] Write(IEnumerable<JsonElement> events)
    {
        var output = new ArrayBufferWriter<byte>(2048);
        using var writer = new Utf8JsonWriter(output);
        writer.WriteStartArray();
        foreach (var e in events.Where(IsStripped).Take(MaxEvents))
        {
            var (type, stateKey, sender, content) = (e.GetProperty("type"), e.GetProperty("state_key"), e.GetProperty("sender"), e.GetProperty("content"));
            if (writer.BytesCommitted + writer.BytesPending + content.GetRawText().Length > MaxBytes)
                break;
            writer.WriteStartObject();
            writer.WritePropertyName("type");
            type.WriteTo(writer);
            writer.WritePropertyName("state_key");
            stateKey.WriteTo(writer);
            writer.WritePropertyName("sender");
            sender.WriteTo(writer);
            writer.WritePropertyName("content");
            content.WriteTo(writer);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.Flush();
        return output.WrittenSpan.ToArray();
    }

    /// <summary>The places of a room's state that strangers are shown.</summary>
    public static IReadOnlyList<StateKeyPair> Places { get; } = [.. RoomPreview.StrippedStateTypes.Select(type => new StateKeyPair(type, ""))];

    static bool IsStripped(JsonElement e) => e.ValueKind == JsonValueKind.Object && IsText(e, "type") && IsText(e, "state_key") && IsText(e, "sender")
        && UserId.TryParse(e.GetProperty("sender").GetString(), out _)
        && e.TryGetProperty("content", out var content) && content.ValueKind == JsonValueKind.Object;

    static bool IsText(JsonElement e, string name) => e.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String;
}
