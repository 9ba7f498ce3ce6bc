using System.Buffers;
using System.Text.Json;
using Matrix.Protocol;
using Matrix.Pusher.Judging;

namespace Matrix.Pusher.Http;

/// <summary>Writes what a push gateway is sent (Push Gateway API, POST /_matrix/push/v1/notify).</summary>
static class NotificationBody
{
    /// <summary>The members that are the same for all who are told of an event: an object without its braces.</summary>
    public static ReadOnlyMemory<byte> Shared(Pdu pdu, string? senderName)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("event_id"u8, pdu.EventId.ToString());
            json.WriteString("room_id"u8, pdu.RoomId.ToString());
            json.WriteString("type"u8, pdu.Type);
            json.WriteString("sender"u8, pdu.Sender.ToString());
            if (senderName is not null)
                json.WriteString("sender_display_name"u8, senderName);
            json.WritePropertyName("content"u8);
            json.WriteRawValue(pdu.ContentJson.Span, skipInputValidation: true);
            json.WriteEndObject();
        }
        return buffer.WrittenMemory[1..^1];
    }

    /// <summary>Tells of an event.</summary>
    /// <param name="withContent">False: the format <c>event_id_only</c>.</param>
    public static byte[] OfEvent(
        Storage.Push.Pusher pusher, GatewayTarget target, PushedEvent e, PushOutcome outcome, RoomLabel label, int badge, bool withContent)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        var isImportant = e.Pdu.Type == EventTypes.Encrypted || outcome.Highlight || outcome.Sound is not null;
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { SkipValidation = true }))
        {
            Begin(json);
            if (withContent)
            {
                json.WriteRawValue(e.Notification.Span, skipInputValidation: true); // several members at once, which is why nothing is validated
                if (label.NameFor(pusher.UserId) is { } name)
                    json.WriteString("room_name"u8, name);
                if (label.Alias is not null)
                    json.WriteString("room_alias"u8, label.Alias);
                if (e.Pdu.Type == EventTypes.Member)
                    json.WriteBoolean("user_is_target"u8, e.Pdu.StateKey == pusher.UserId);
            }
            else
            {
                json.WriteString("event_id"u8, e.Pdu.EventId.ToString());
                json.WriteString("room_id"u8, e.Pdu.RoomId.ToString());
            }
            json.WriteString("prio"u8, isImportant ? "high"u8 : "low"u8);
            End(json, pusher, target, badge, outcome);
        }
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Tells only how much is unread.</summary>
    public static byte[] OfBadge(Storage.Push.Pusher pusher, GatewayTarget target, int badge)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            Begin(json);
            json.WriteString("prio"u8, "low"u8);
            End(json, pusher, target, badge, null);
        }
        return buffer.WrittenSpan.ToArray();
    }

    static void Begin(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteStartObject("notification"u8);
    }

    static void End(Utf8JsonWriter json, Storage.Push.Pusher pusher, GatewayTarget target, int badge, PushOutcome? outcome)
    {
        // A zero should be left out, says the specification; but then no gateway could take the number off the app's icon.
        json.WriteStartObject("counts"u8);
        json.WriteNumber("unread"u8, badge);
        json.WriteEndObject();
        json.WriteStartArray("devices"u8);
        json.WriteStartObject();
        json.WriteString("app_id"u8, pusher.AppId);
        json.WriteString("pushkey"u8, pusher.Pushkey);
        json.WriteNumber("pushkey_ts"u8, pusher.SetAt.ToUnixTimeSeconds());
        json.WritePropertyName("data"u8);
        json.WriteRawValue(target.Data, skipInputValidation: true);
        if (outcome is not null)
            WriteTweaks(json, outcome);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    static void WriteTweaks(Utf8JsonWriter json, PushOutcome outcome)
    {
        json.WriteStartObject("tweaks"u8);
        foreach (var action in outcome.Actions)
        {
            if (action.ValueKind != JsonValueKind.Object || !action.TryGetProperty("set_tweak", out var tweak) || tweak.ValueKind != JsonValueKind.String)
                continue;
            json.WritePropertyName(tweak.GetString()!);
            if (action.TryGetProperty("value", out var value))
                value.WriteTo(json);
            else
                json.WriteBooleanValue(true);
        }
        json.WriteEndObject();
    }
}
