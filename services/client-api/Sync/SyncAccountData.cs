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
        foreach (var item in await store.List(UserId.Parse(request.UserId), after, rooms.Position.Value, ct))
        {
            if (item.RoomId.Length == 0)
            {
                if (item.Type != EventTypes.PushRules && request.Filter.AccountData.AllowsType(item.Type))
                    result.AccountData.Add(item);
            }
            else if (joined.TryGetValue(item.RoomId, out var room) && Passes(request, item))
                result.GetJoined(room).AccountData.Add(item);
        }
    }

    /// <summary>Push rules are shown as account data, always whole: those of every user with the user's own over them.</summary>
    public async Task AddPushRules(SyncRequest request, SyncResult result, CancellationToken ct)
    {
        if (!request.Filter.AccountData.AllowsType(EventTypes.PushRules))
            return;
        var rules = await pushRules.Get(UserId.Parse(request.UserId), ct);
        result.AccountData.Add(new AccountDataItem("", EventTypes.PushRules, PushRulesets.Content(rules)));
    }

    static bool Passes(SyncRequest request, AccountDataItem item) =>
        request.Filter.PassesRoom(item.RoomId) && request.Filter.Room.AccountData.PassesRoom(item.RoomId) && request.Filter.Room.AccountData.AllowsType(item.Type);
}
