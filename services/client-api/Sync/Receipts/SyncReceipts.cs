using Matrix.ClientApi.Sync.Filters;
using Matrix.Protocol;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync.Receipts;

/// <summary>Adds the receipts that moved, and those of rooms that are new to the client, to an answer.</summary>
sealed class SyncReceipts(ReceiptCache cache, ReceiptStore store)
{
    public async Task Fill(SyncRequest request, UserRooms rooms, Changes changes, SyncResult result, CancellationToken ct)
    {
        var filter = request.Filter.Room.Ephemeral;
        if (!filter.AllowsType(EventTypes.Receipt))
            return;
        var receipts = new List<Receipt>(await cache.Get(changes.ReceiptPositions, ct));
        if (changes.ReceiptsFromStore && request.Since is { } since)
            receipts.AddRange(await store.ListSince(Joined(rooms), since.Value, rooms.Position.Value, request.UserId, ct));
        var fresh = changes.Rooms.Where(change => change is { Full: true, Left: false }).Select(change => change.RoomNid).ToArray();
        if (fresh.Length > 0)
            receipts.AddRange(await store.ListSince(fresh, 0, rooms.Position.Value, request.UserId, ct));
        foreach (var receipt in receipts.DistinctBy(receipt => receipt.Position))
        {
            if (rooms.Rooms.TryGetValue(receipt.RoomNid, out var room) && room.Membership == "join"
                && request.Filter.PassesRoom(room.RoomId) && filter.PassesRoom(room.RoomId))
                result.GetJoined(room).Receipts.Add(receipt);
        }
    }

    static long[] Joined(UserRooms rooms) => [.. rooms.Rooms.Values.Where(room => room.Membership == "join").Select(room => room.RoomNid)];
}
