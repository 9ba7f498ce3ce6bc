using System.Runtime.InteropServices;
using System.Text.Json;
using Matrix.Federation;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms.Devices;
using Matrix.Storage.Federation;
using Npgsql;

namespace Matrix.FederationReader.Edus;

/// <summary>Messages to devices of this server: m.direct_to_device. Each is taken once, by its sender's server and id, however often it comes.</summary>
sealed class DeviceMessageReceiver(LogWriter log, ServerSigningKey own)
{
    const int MostRecipients = 1000, LongestId = 128, LongestName = 255;

    public async Task Receive(ServerName origin, IReadOnlyList<JsonElement> contents, CancellationToken ct)
    {
        var writing = new List<Task<LogPosition>>();
        foreach (var content in contents)
        {
            if (Read(origin, content) is { } received)
                writing.Add(await log.Post(received, ct)); // in the order in which they came
        }
        foreach (var task in writing)
        {
            try
            {
                await task;
            }
            catch (PostgresException e) when (e is { SqlState: PostgresErrorCodes.UniqueViolation, TableName: "received_messages" })
            {
                // it came before
            }
        }
    }

    MessageReceived? Read(ServerName origin, JsonElement content)
    {
        if (content.Text("sender") is not { } sender || !origin.IsUserOf(sender) || content.Text("type") is not { Length: <= LongestName } type
            || content.Text("message_id") is not { Length: <= LongestId } id || content.Member("messages") is not { } messages)
            return null;
        var recipients = new List<DeviceMessage>();
        foreach (var user in messages.EnumerateObject())
        {
            if (!own.ServerName.IsUserOf(user.Name) || user.Value.ValueKind != JsonValueKind.Object)
                continue;
            foreach (var device in user.Value.EnumerateObject())
            {
                if (device.Value.ValueKind == JsonValueKind.Object && device.Name.Length is > 0 and <= LongestName && !device.Name.Contains('\0', StringComparison.Ordinal))
                    recipients.Add(new DeviceMessage(user.Name, device.Name == "*" ? null : device.Name,
                        DeviceMessage.Encode(type, sender, JsonMarshal.GetRawUtf8Value(device.Value))));
            }
        }
        return recipients.Count is 0 or > MostRecipients ? null : new MessageReceived(origin.ToString(), id, recipients);
    }

    sealed class MessageReceived(string origin, string id, IReadOnlyList<DeviceMessage> recipients) : LogChange
    {
        readonly DeviceMessages messages = new(recipients);

        public override IReadOnlyList<LogEntryDraft> Entries => messages.Entries;

        public override void AddCommands(NpgsqlBatch batch, Func<int, int> back)
        {
            ReceivedEduStore.AddMessage(batch, origin, id);
            messages.AddCommands(batch, back);
        }
    }
}
