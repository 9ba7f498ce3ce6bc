using System.Buffers;
using System.Text.Json;
using Matrix.Replication;
using Matrix.Storage.Keys;
using Npgsql;

namespace Matrix.Rooms.Devices;

/// <summary>A message to a device of this server.</summary>
/// <param name="DeviceId">Null: all of the user's devices, as they are when it is written.</param>
/// <param name="Message">As clients get it.</param>
public readonly record struct DeviceMessage(string UserId, string? DeviceId, byte[] Message)
{
    /// <summary>A message as clients get it.</summary>
    /// <param name="content">JSON.</param>
    public static byte[] Encode(string eventType, string sender, ReadOnlySpan<byte> content)
    {
        var output = new ArrayBufferWriter<byte>(content.Length + 200);
        using var json = new Utf8JsonWriter(output, new JsonWriterOptions { SkipValidation = true });
        json.WriteStartObject();
        json.WriteString("type"u8, eventType);
        json.WriteString("sender"u8, sender);
        json.WritePropertyName("content"u8);
        json.WriteRawValue(content, skipInputValidation: true);
        json.WriteEndObject();
        json.Flush();
        return output.WrittenSpan.ToArray();
    }
}

/// <summary>Messages to devices of this server, each a part of one change: an entry of the log tells of many.</summary>
public sealed class DeviceMessages(IReadOnlyList<DeviceMessage> messages)
{
    // An entry tells of the messages at its own position.
    readonly DeviceMessage[][] parts = [.. messages.Chunk(ToDeviceRecipients.MostPerEntry)];

    public IReadOnlyList<LogEntryDraft> Entries { get; } =
        [.. messages.Chunk(ToDeviceRecipients.MostPerEntry).Select(part => ToDeviceRecipients.Pack([.. part.Select(m => (m.UserId, m.DeviceId))]))];

    /// <param name="back">By the index of one of <see cref="Entries"/>.</param>
    public void AddCommands(NpgsqlBatch batch, Func<int, int> back)
    {
        for (var i = 0; i < parts.Length; i++)
        {
            DeviceMessage[] single = [.. parts[i].Where(m => m.DeviceId is not null)], all = [.. parts[i].Where(m => m.DeviceId is null)];
            if (single.Length > 0)
                ToDeviceStore.AddMessages(batch, [.. single.Select(m => m.UserId)], [.. single.Select(m => m.DeviceId!)], [.. single.Select(m => m.Message)], back(i));
            if (all.Length > 0)
                ToDeviceStore.AddMessagesToAll(batch, [.. all.Select(m => m.UserId)], [.. all.Select(m => m.Message)], back(i));
        }
    }
}
