using System.Runtime.InteropServices;
using System.Text.Json;
using Matrix.Hosting.Configuration;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms.Devices;
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
        var remote = new RemoteMessages(eventType, sender);
        var recipients = Read(messages, eventType, sender, remote);
        if (recipients.Count + remote.Entries.Count == 0)
            return;
        try
        {
            await log.Append(new MessagesSent(requester, eventType, txnId, recipients, remote), ct);
        }
        catch (PostgresException e) when (e is { SqlState: PostgresErrorCodes.UniqueViolation, TableName: "to_device_transactions" })
        {
            // this transaction was carried out before
        }
    }

    List<DeviceMessage> Read(JsonElement messages, string eventType, string sender, RemoteMessages remote)
    {
        if (messages.ValueKind != JsonValueKind.Object)
            throw MatrixException.BadJson("messages must be an object.");
        var recipients = new List<DeviceMessage>();
        var others = 0;
        foreach (var user in messages.EnumerateObject())
        {
            if (!UserId.TryParse(user.Name, out var userId) || user.Value.ValueKind != JsonValueKind.Object)
                throw MatrixException.InvalidParam("messages must be an object of users, each an object of devices.");
            var isLocal = user.Name.EndsWith(ownServer, StringComparison.Ordinal);
            foreach (var device in user.Value.EnumerateObject())
            {
                if (device.Value.ValueKind != JsonValueKind.Object || device.Name.Length is 0 or > LongestName || device.Name.Contains('\0'))
                    throw MatrixException.InvalidParam("The message to a device must be an object.");
                var content = Content(device.Value);
                if (isLocal)
                    recipients.Add(new DeviceMessage(user.Name, device.Name == "*" ? null : device.Name, DeviceMessage.Encode(eventType, sender, content)));
                else
                    remote.Add(userId, device.Name, content);
                others += isLocal ? 0 : 1;
            }
        }
        return recipients.Count + others <= MostRecipients ? recipients : throw MatrixException.TooLarge("There are too many recipients.");
    }

    static ReadOnlySpan<byte> Content(JsonElement content)
    {
        var raw = JsonMarshal.GetRawUtf8Value(content);
        return raw.Length <= LargestMessage ? raw : throw MatrixException.TooLarge("The message is too large.");
    }

    sealed class MessagesSent(Requester sender, string eventType, string txnId, IReadOnlyList<DeviceMessage> recipients, RemoteMessages remote) : LogChange
    {
        readonly DeviceMessages messages = new(recipients);

        public override IReadOnlyList<LogEntryDraft> Entries => field ??= [.. messages.Entries, .. remote.Entries];

        public override void AddCommands(NpgsqlBatch batch, Func<int, int> back)
        {
            ToDeviceStore.AddTransaction(batch, sender.UserId.ToString(), sender.DeviceId.ToString(), eventType, txnId);
            messages.AddCommands(batch, back);
            remote.AddCommands(batch, entry => back(messages.Entries.Count + entry));
        }
    }
}
