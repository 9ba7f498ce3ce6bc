using Matrix.ClientApi.Sync.Filters;
using Matrix.Protocol;
using Matrix.Storage;

namespace Matrix.ClientApi.Sync;

/// <summary>Adds the account data that changed, global and of rooms, to an answer.</summary>
sealed class SyncAccountData(AccountDataStore store)
{
    public async Task Fill(SyncRequest request, UserRooms rooms, SyncResult result, CancellationToken ct)
    {
        var after = request.Since?.Value ?? 0;
        var updates = result.Joined.ToDictionary(update => update.RoomId, StringComparer.Ordinal);
        var joined = rooms.Rooms.Values.Where(room => room.Membership == "join").ToDictionary(room => room.RoomId, StringComparer.Ordinal);
        foreach (var item in await store.List(UserId.Parse(request.UserId), after, rooms.Position.Value, ct))
        {
            if (item.RoomId.Length == 0)
            {
                if (request.Filter.AccountData.AllowsType(item.Type))
                    result.AccountData.Add(item);
            }
            else if (joined.TryGetValue(item.RoomId, out var room) && Passes(request, item))
            {
                if (!updates.TryGetValue(item.RoomId, out var update))
                    updates.Add(item.RoomId, update = Add(result, new RoomUpdate(room.RoomNid, room.RoomId)));
                update.AccountData.Add(item);
            }
        }
    }

    static RoomUpdate Add(SyncResult result, RoomUpdate update)
    {
        result.Joined.Add(update);
        return update;
    }

    static bool Passes(SyncRequest request, AccountDataItem item) =>
        request.Filter.PassesRoom(item.RoomId) && request.Filter.Room.AccountData.PassesRoom(item.RoomId) && request.Filter.Room.AccountData.AllowsType(item.Type);
}
