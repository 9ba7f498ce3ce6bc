using Matrix.ClientApi.Accounts;
using Matrix.Protocol;
using Matrix.Storage;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>Account data that changed, and all of it for a connection that begins and for rooms that come whole.</summary>
sealed class AccountDataExtension(AccountDataStore store, SlidingStore sliding, PushRulesets pushRules)
{
    public async Task Fill(ExtensionContext context, ExtensionScope scope, CancellationToken ct)
    {
        var (request, result, window) = (context.Request, context.Result, context.Window);
        var user = UserId.Parse(request.UserId);
        if (window.HasAccountData)
            await AddChanged(context, scope, user, ct);
        if (window.HasPushRules)
            result.Extensions.GlobalAccountData.Add(new AccountDataItem("", EventTypes.PushRules, PushRulesets.Content(await pushRules.Get(user, ct))));
        string[] fresh = [.. context.Fresh(scope).Select(room => room.RoomId)];
        if (fresh.Length == 0)
            return;
        foreach (var room in fresh)
            result.Extensions.RoomAccountData.Remove(room);
        foreach (var item in await sliding.ListRoomAccountData(request.UserId, fresh, ct))
            Add(result, item);
    }

    async Task AddChanged(ExtensionContext context, ExtensionScope scope, UserId user, CancellationToken ct)
    {
        var followed = new Dictionary<string, bool>(StringComparer.Ordinal);
        foreach (var item in await store.List(user, context.Request.Since?.Value ?? 0, context.Result.Position.Value, ct))
        {
            if (item.RoomId.Length > 0)
            {
                if (!followed.TryGetValue(item.RoomId, out var isFollowed))
                    followed[item.RoomId] = isFollowed = IsFollowed(context, scope, item.RoomId);
                if (isFollowed)
                    Add(context.Result, item);
            }
            else if (item.Type != EventTypes.PushRules)
                context.Result.Extensions.GlobalAccountData.Add(item);
        }
    }

    static bool IsFollowed(ExtensionContext context, ExtensionScope scope, string roomId) =>
        context.Memberships.Values.FirstOrDefault(room => room.RoomId == roomId) is { } room && context.Followed(scope, room.RoomNid) is not null;

    static void Add(SlidingResult result, AccountDataItem item)
    {
        if (!result.Extensions.RoomAccountData.TryGetValue(item.RoomId, out var items))
            result.Extensions.RoomAccountData.Add(item.RoomId, items = []);
        items.Add(item);
    }
}
