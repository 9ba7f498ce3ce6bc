using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Storage.Federation;
using Npgsql;

namespace Matrix.ClientApi.Keys;

/// <summary>
/// Messages to devices of other servers, as the EDUs that carry them (Server-Server API, "Send-to-device messaging"): one for each server, or more where one
/// would be too large. An entry of the log tells of those to one server; federation-sender delivers them and deletes them then.
/// </summary>
sealed class RemoteMessages(string eventType, string sender)
{
    // other servers take 64 KiB in an EDU
    const int LargestEdu = 60_000;

    readonly SortedDictionary<ServerName, List<Draft>> servers = [];

    /// <summary>Complete once all messages are added.</summary>
    public IReadOnlyList<LogEntryDraft> Entries => [.. servers.Keys.Select(server => new LogEntryDraft(LogKind.OutgoingMessages, Key: server.ToString()))];

    public void Add(UserId userId, string deviceId, ReadOnlySpan<byte> content)
    {
        if (!servers.TryGetValue(userId.Server, out var edus))
            servers.Add(userId.Server, edus = [new Draft()]);
        if (edus[^1].Size > 0 && edus[^1].Size + content.Length > LargestEdu)
            edus.Add(new Draft());
        edus[^1].Add(userId.ToString(), deviceId, content.ToArray());
    }

    public void AddCommands(NpgsqlBatch batch, Func<int, int> back)
    {
        foreach (var (i, (server, edus)) in servers.Index())
            OutgoingMessageStore.Add(batch, server.ToString(), [.. edus.Select(Encode)], back(i));
    }

    byte[] Encode(Draft edu)
    {
        var output = new ArrayBufferWriter<byte>(edu.Size + 500);
        using var json = new Utf8JsonWriter(output, new JsonWriterOptions { SkipValidation = true });
        json.WriteStartObject();
        json.WriteString("message_id"u8, edu.MessageId);
        json.WriteStartObject("messages"u8);
        foreach (var (user, devices) in edu.Users)
        {
            json.WriteStartObject(user);
            foreach (var (device, content) in devices)
            {
                json.WritePropertyName(device);
                json.WriteRawValue(content, skipInputValidation: true);
            }
            json.WriteEndObject();
        }
        json.WriteEndObject();
        json.WriteString("sender"u8, sender);
        json.WriteString("type"u8, eventType);
        json.WriteEndObject();
        json.Flush();
        return output.WrittenSpan.ToArray();
    }

    sealed class Draft
    {
        /// <summary>By which the other server knows it if it comes again.</summary>
        public string MessageId { get; } = RandomNumberGenerator.GetHexString(32, lowercase: true);

        public SortedDictionary<string, SortedDictionary<string, byte[]>> Users { get; } = new(StringComparer.Ordinal);

        public int Size { get; private set; }

        public void Add(string userId, string deviceId, byte[] content)
        {
            if (!Users.TryGetValue(userId, out var devices))
                Users.Add(userId, devices = new(StringComparer.Ordinal));
            devices[deviceId] = content;
            Size += userId.Length + deviceId.Length + content.Length + 10;
        }
    }
}
