using Matrix.Rooms.Unread;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>Adds how much is unread to every room of an answer that the user is in, and brings in the rooms in which the user only read on.</summary>
sealed class SlidingUnread(UnreadCounts counts, SlidingStore store)
{
    public async Task Fill(
        SlidingRequest request, SlidingResult result, ConnectionState state, ListSnapshot snapshot, SlidingWindow window, CancellationToken ct)
    {
        foreach (var nid in await FindRead(request, result, state, window, ct))
        {
            if (state.Rooms.GetValueOrDefault(nid) is { BehindAt: null } sent && snapshot.Rooms.TryGetValue(nid, out var room) && room.Membership == "join"
                && !result.Rooms.Exists(told => told.Plan.Entry.RoomNid == nid))
            {
                var entry = new RoomEntry(nid, room.RoomId, room.Membership, room.EventNid, room.Position, room.Position, null);
                result.Rooms.Add(new SlidingRoom(new RoomPlan(
                    entry, RoomView.Joined, new RoomConfig(0, sent.State), sent, request.Since!.Value.Value, result.Position.Value, false, sent.IsDirect, [])));
            }
        }
        var joined = result.Rooms.Where(room => room.Plan.View == RoomView.Joined).ToList();
        if (joined.Count == 0)
            return;
        var unread = await counts.Get(request.UserId, [.. joined.Select(room => room.Plan.Entry.RoomNid)], ct);
        foreach (var room in joined)
            room.Unread = (unread.GetValueOrDefault(room.Plan.Entry.RoomNid) ?? RoomUnread.Nothing).Total;
    }

    async ValueTask<IReadOnlyCollection<long>> FindRead(
        SlidingRequest request, SlidingResult result, ConnectionState state, SlidingWindow window, CancellationToken ct)
    {
        if (request.Since is not { } since || state.Rooms.IsEmpty)
            return [];
        return window.IsKnown ? window.Read
            : await store.ListRead(request.UserId, [.. state.Rooms.Keys], since.Value, result.Position.Value, ct);
    }
}
