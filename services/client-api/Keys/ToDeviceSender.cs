using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;
using Matrix.ClientApi.Sync;
using Matrix.ClientApi.Sync.Devices;
using Matrix.Hosting.Configuration;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Storage.Keys;
using Npgsql;

namespace Matrix.ClientApi.Keys;

/// <summary>Sends messages to devices (Client-Server API, "Send-to-Device messaging"): all of a request in one change, once for each transaction id.</summary>
sealed class ToDeviceSender(LogWriter log, HomeserverOptions homeserver)
{
    const int MostRecipients = 10_000, LargestMessage = 65_536, LongestName = 255;

    readonly string ownServer = ":" + homeserver.ServerName;

    /// <param name="messages">By user, by device or <c>*</c>: the content.</param>
    public async Task Send(Requester requester, string eventType, string txnId, JsonElement messages, CancellationToken ct)
    {
        if (eventType.Length is 0 or > LongestName || txnId.Length is 0 or > LongestName || eventType.Contains('\0') || txnId.Contains('\0'))
            throw MatrixException.InvalidParam("The event type or the transaction id is too long.");
        var sender = requester.UserId.ToString();
        var recipients = Read(messages, eventType, sender);
        if (recipients.Count == 0)
            return;
        try
        {
            await log.Append(new MessagesSent(requester, eventType, txnId, recipients), ct);
        }
        catch (PostgresException e) when (e is { SqlState: PostgresErrorCodes.UniqueViolation, TableName: "to_device_transactions" })
        {
            // this transaction was carried out before
        }
    }

    List<Recipient> Read(JsonElement messages, string eventType, string sender)
    {
        if (messages.ValueKind != JsonValueKind.Object)
            throw MatrixException.BadJson("messages must be an object.");
        var recipients = new List<Recipient>();
        foreach (var user in messages.EnumerateObject())
        {
            if (!UserId.TryParse(user.Name, out _) || user.Value.ValueKind != JsonValueKind.Object)
                throw MatrixException.InvalidParam("messages must be an object of users, each an object of devices.");
            // Other servers' users can be in no room yet: whom federation will reach is left to it.
            if (!user.Name.EndsWith(ownServer, StringComparison.Ordinal))
                continue;
            foreach (var device in user.Value.EnumerateObject())
            {
                if (device.Value.ValueKind != JsonValueKind.Object || device.Name.Length is 0 or > LongestName || device.Name.Contains('\0'))
                    throw MatrixException.InvalidParam("The message to a device must be an object.");
                recipients.Add(new Recipient(user.Name, device.Name == "*" ? null : device.Name, Encode(eventType, sender, device.Value)));
            }
        }
        return recipients.Count <= MostRecipients ? recipients : throw MatrixException.TooLarge("There are too many recipients.");
    }

    static byte[] Encode(string eventType, string sender, JsonElement content)
    {
        var raw = JsonMarshal.GetRawUtf8Value(content);
        if (raw.Length > LargestMessage)
            throw MatrixException.TooLarge("The message is too large.");
        var output = new ArrayBufferWriter<byte>(raw.Length + 200);
        var to = new JsonSplicer(output);
        to.Raw("{\"type\":"u8);
        to.String(eventType);
        to.Raw(",\"sender\":"u8);
        to.String(sender);
        to.Raw(",\"content\":"u8);
        to.Raw(raw);
        to.Raw("}"u8);
        return output.WrittenSpan.ToArray();
    }

    /// <param name="DeviceId">Null: all of the user's devices, as they are when it is written.</param>
    readonly record struct Recipient(string UserId, string? DeviceId, byte[] Message);

    sealed class MessagesSent(Requester sender, string eventType, string txnId, List<Recipient> recipients) : LogChange
    {
        // An entry tells of the messages at its own position.
        readonly Recipient[][] parts = [.. recipients.Chunk(ToDeviceRecipients.MostPerEntry)];

        public override IReadOnlyList<LogEntryDraft> Entries { get; } =
            [.. recipients.Chunk(ToDeviceRecipients.MostPerEntry).Select(part => ToDeviceRecipients.Pack([.. part.Select(r => (r.UserId, r.DeviceId))]))];

        public override void AddCommands(NpgsqlBatch batch, Func<int, int> back)
        {
            ToDeviceStore.AddTransaction(batch, sender.UserId.ToString(), sender.DeviceId.ToString(), eventType, txnId);
            for (var i = 0; i < parts.Length; i++)
            {
                Recipient[] single = [.. parts[i].Where(r => r.DeviceId is not null)], all = [.. parts[i].Where(r => r.DeviceId is null)];
                if (single.Length > 0)
                    ToDeviceStore.AddMessages(batch, [.. single.Select(r => r.UserId)], [.. single.Select(r => r.DeviceId!)], [.. single.Select(r => r.Message)], back(i));
                if (all.Length > 0)
                    ToDeviceStore.AddMessagesToAll(batch, [.. all.Select(r => r.UserId)], [.. all.Select(r => r.Message)], back(i));
            }
        }
    }
}
