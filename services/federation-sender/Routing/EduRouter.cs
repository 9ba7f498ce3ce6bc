using Matrix.Federation;
using Matrix.FederationSender.Queues;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Storage.Federation;

namespace Matrix.FederationSender.Routing;

/// <summary>Something to be told to a server; null: messages to devices, which are in the database.</summary>
readonly record struct Told(ServerName Server, OutgoingEdu? Edu);

/// <summary>Finds out what entries of the log tell beside events, and to whom.</summary>
sealed class EduRouter(OutgoingEduStore store, StoredEdus edus, PresenceTeller presence, Deliveries deliveries, ServerSigningKey own)
{
    readonly string suffix = $":{own.ServerName}";

    /// <param name="lists">The servers in the rooms of the entries.</param>
    public async ValueTask<IReadOnlyList<Told>> Read(IReadOnlyList<LogEntry> entries, Dictionary<long, RoomDestination[]> lists, CancellationToken ct)
    {
        var told = new List<Told>();
        long[] receipts =
        [
            .. entries.Where(entry => entry is { Kind: LogKind.Receipt, Key: "m.read", RoomNid: { } room } && IsOwn(entry) && lists.ContainsKey(room) && lists[room].Length > 0)
                .Select(entry => entry.Position.Value),
        ];
        if (receipts.Length > 0)
            await ReadReceipts(receipts, lists, told, ct);
        // of several changes of a user's devices the newest is told
        var devices = entries.Where(entry => entry is { Kind: LogKind.DeviceList, Key: null } && IsOwn(entry)).ToLookup(entry => entry.UserId!, StringComparer.Ordinal);
        if (devices.Count > 0)
            await ReadDevices(devices, told, ct);
        foreach (var entry in entries)
        {
            if (entry is { Kind: LogKind.OutgoingMessages, Key: { } name } && ServerName.TryParse(name, out var server))
                told.Add(new Told(server, null));
        }
        told.AddRange(await presence.Read(entries, lists, ct));
        return told;
    }

    public void Hand(IReadOnlyList<Told> told)
    {
        foreach (var (server, edu) in told)
        {
            if (edu is null)
                deliveries.AddMessages(server);
            else
                deliveries.Add(server, edu);
        }
    }

    bool IsOwn(LogEntry entry) => entry.UserId?.EndsWith(suffix, StringComparison.Ordinal) == true;

    async Task ReadReceipts(long[] positions, Dictionary<long, RoomDestination[]> lists, List<Told> told, CancellationToken ct)
    {
        foreach (var receipt in await store.ListReceipts(positions, suffix, ct))
        {
            var edu = StoredEdus.Receipt(receipt);
            foreach (var server in lists[receipt.RoomNid])
            {
                if (server.LeftAt is null && deliveries.Holds(server.Server))
                    told.Add(new Told(server.Server, edu));
            }
        }
    }

    async Task ReadDevices(ILookup<string, LogEntry> changed, List<Told> told, CancellationToken ct)
    {
        var sharing = (await store.ListSharing([.. changed.Select(user => user.Key)], ct)).ToLookup(row => row.UserId, row => ServerName.Parse(row.Server), StringComparer.Ordinal);
        string[] users = [.. sharing.Where(user => user.Any(deliveries.Holds)).Select(user => user.Key)];
        if (users.Length == 0)
            return;
        foreach (var change in await store.ListDeviceLists(users, ct))
        {
            // one entry alone, and nothing newer in the database: then it is known which device it was
            LogEntry[] own = [.. changed[change.UserId]];
            var deviceId = own.Length == 1 && own[0].Position.Value == change.Position ? own[0].DeviceId : null;
            foreach (var edu in await edus.Devices([(change, deviceId)], ct))
                told.AddRange(sharing[change.UserId].Where(deliveries.Holds).Select(server => new Told(server, edu)));
        }
    }
}
