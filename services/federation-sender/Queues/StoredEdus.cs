using Matrix.Federation;
using Matrix.Protocol;
using Matrix.Storage.Federation;
using Matrix.Storage.Keys;

namespace Matrix.FederationSender.Queues;

/// <summary>EDUs that a destination missed and that still matter, from the database: receipts, and whose devices changed.</summary>
sealed class StoredEdus(OutgoingEduStore store, DeviceKeyStore keys, ServerSigningKey own)
{
    const int Most = 500;

    readonly string suffix = $":{own.ServerName}";

    /// <summary>Those of (after, upTo]. Of more than a few hundred receipts the newest.</summary>
    public async Task<IReadOnlyList<OutgoingEdu>> Read(ServerName server, long after, long upTo, CancellationToken ct)
    {
        var receipts = await store.ListReceiptsFor(server.ToString(), after, upTo, suffix, Most, ct);
        var lists = await store.ListDeviceListsFor(server.ToString(), after, upTo, suffix, Most, ct);
        return [.. receipts.Select(Receipt), .. await Devices([.. lists.Select(list => (list, (string?)null))], ct)];
    }

    public static OutgoingEdu Receipt(OutgoingReceipt receipt) =>
        new ReceiptEdu(receipt.RoomId, receipt.UserId, receipt.EventId, receipt.ThreadId, receipt.Ts, receipt.Position);

    /// <summary>What changes of users' devices are told as.</summary>
    public async Task<IReadOnlyList<OutgoingEdu>> Devices(IReadOnlyList<(DeviceListChange Change, string? DeviceId)> changes, CancellationToken ct)
    {
        if (changes.Count == 0)
            return [];
        var published = (await keys.List([.. changes.Select(change => change.Change.UserId)], ct)).ToLookup(key => key.UserId, StringComparer.Ordinal);
        return [.. changes.SelectMany(change => DeviceEdus.Of(change.Change, change.DeviceId, [.. published[change.Change.UserId]]))];
    }
}
