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
        var fresh = context.Fresh(scope).Select(room => room.RoomId).ToHashSet(StringComparer.Ordinal);
        if (window.HasAccountData)
            await AddChanged(context, scope, user, fresh, ct);
        // a connection that begins has just been given all there is
        if (fresh.Count == 0 || request.Since is null)
            return;
        foreach (var item in await sliding.ListRoomAccountData(request.UserId, [.. fresh], ct))
            Add(result, item);
    }

    async Task AddChanged(ExtensionContext context, ExtensionScope scope, UserId user, HashSet<string> fresh, CancellationToken ct)
    {
        Dictionary<string, long>? rooms = null;
        AccountDataItem? rules = null;
        foreach (var item in await store.List(user, context.Request.Since?.Value ?? 0, context.Result.Position.Value, ct))
        {
            if (item.RoomId.Length == 0)
            {
                if (item.Type == EventTypes.PushRules)
                    rules = item;
                else
                    context.Result.Extensions.GlobalAccountData.Add(item);
            }
            else if (context.Request.Since is null)
            {
                if (fresh.Contains(item.RoomId))
                    Add(context.Result, item);
            }
            else if (!fresh.Contains(item.RoomId))
            {
                rooms ??= context.Memberships.Values.Where(room => room.Membership == "join").ToDictionary(room => room.RoomId, room => room.RoomNid, StringComparer.Ordinal);
                if (rooms.TryGetValue(item.RoomId, out var room) && context.Followed(scope, room) is not null)
                    Add(context.Result, item);
            }
        }
        // all there is was listed; later they are among what changed only if they did
        if (context.Request.Since is null || rules is not null)
            context.Result.Extensions.GlobalAccountData.Add(pushRules.Show(user, rules));
    }

    static void Add(SlidingResult result, AccountDataItem item)
    {
        if (!result.Extensions.RoomAccountData.TryGetValue(item.RoomId, out var items))
            result.Extensions.RoomAccountData.Add(item.RoomId, items = []);
        items.Add(item);
    }
}
