using Matrix.ClientApi.Accounts;
using Matrix.ClientApi.Sync.Filters;
using Matrix.Protocol;
using Matrix.Storage;

namespace Matrix.ClientApi.Sync;

/// <summary>Adds the account data that changed, global and of rooms, to an answer.</summary>
sealed class SyncAccountData(AccountDataStore store, PushRulesets pushRules)
{
    public async Task Fill(SyncRequest request, UserRooms rooms, SyncResult result, CancellationToken ct)
    {
        var after = request.Since?.Value ?? 0;
        var joined = rooms.Rooms.Values.Where(room => room.Membership == "join").ToDictionary(room => room.RoomId, StringComparer.Ordinal);
        AccountDataItem? rules = null;
        foreach (var item in await store.List(UserId.Parse(request.UserId), after, rooms.Position.Value, ct))
        {
            if (item.RoomId.Length == 0)
            {
                if (item.Type == EventTypes.PushRules)
                    rules = item;
                else if (request.Filter.AccountData.AllowsType(item.Type))
                    result.AccountData.Add(item);
            }
            else if (joined.TryGetValue(item.RoomId, out var room) && Passes(request, item))
                result.GetJoined(room).AccountData.Add(item);
        }
        // all there is was listed; later they are among what changed only if they did
        if (request.Since is null || rules is not null)
            AddPushRules(request, result, rules);
    }

    void AddPushRules(SyncRequest request, SyncResult result, AccountDataItem? rules)
    {
        if (request.Filter.AccountData.AllowsType(EventTypes.PushRules))
            result.AccountData.Add(pushRules.Show(UserId.Parse(request.UserId), rules));
    }

    static bool Passes(SyncRequest request, AccountDataItem item) =>
        request.Filter.PassesRoom(item.RoomId) && request.Filter.Room.AccountData.PassesRoom(item.RoomId) && request.Filter.Room.AccountData.AllowsType(item.Type);
}
