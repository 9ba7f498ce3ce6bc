using Matrix.ClientApi.Sync.Receipts;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>
/// Receipts that moved. Of rooms that come whole, and of timelines that grow backwards, those at the events that are shown, and the user's own: nobody
/// needs the others, of which a big room has thousands.
/// </summary>
sealed class ReceiptsExtension(ReceiptCache cache, ReceiptStore store, SlidingStore sliding)
{
    public async Task Fill(ExtensionContext context, ExtensionScope scope, CancellationToken ct)
    {
        var receipts = new List<Receipt>();
        if (context.Request.Since is { } since)
            receipts.AddRange(await Moved(context, scope, since.Value, ct));
        receipts.AddRange(await Shown(context, scope, ct));
        foreach (var room in receipts.DistinctBy(receipt => receipt.Position).GroupBy(receipt => receipt.RoomNid))
        {
            if (context.Joined(room.Key) is { } joined)
                context.Result.Extensions.Receipts[joined.RoomId] = [.. room];
        }
    }

    async Task<IReadOnlyList<Receipt>> Moved(ExtensionContext context, ExtensionScope scope, long since, CancellationToken ct)
    {
        if (!context.Window.IsKnown)
        {
            long[] followed = [.. context.Before.Rooms.Keys.Where(room => context.Followed(scope, room) is not null)];
            return followed.Length == 0 ? [] : await store.ListSince(followed, since, context.Result.Position.Value, context.Request.UserId, ct);
        }
        var positions = context.Window.Receipts.Where(receipt => context.Followed(scope, receipt.RoomNid) is not null).Select(receipt => receipt.Position).ToList();
        return positions.Count == 0 ? [] : await cache.Get(positions, ct);
    }

    async Task<IReadOnlyList<Receipt>> Shown(ExtensionContext context, ExtensionScope scope, CancellationToken ct)
    {
        var fresh = context.Fresh(scope).Select(room => room.RoomNid).ToHashSet();
        var shown = context.Result.Rooms.Where(room => room.Plan.View == RoomView.Joined
            && (fresh.Contains(room.Plan.Entry.RoomNid) || (room.Expanded && context.Followed(scope, room.Plan.Entry.RoomNid) is not null))).ToList();
        if (shown.Count == 0)
            return [];
        return await sliding.ListReceipts(
            [.. shown.Select(room => room.Plan.Entry.RoomNid)], [.. shown.SelectMany(room => room.Timeline.Events).Select(e => e.EventId)],
            context.Result.Position.Value, context.Request.UserId, ct);
    }
}
