using Matrix.ClientApi.Sync.Filters;
using Matrix.Rooms.Unread;

namespace Matrix.ClientApi.Sync;

/// <summary>Adds unread counts to every joined room of an answer, and brings in the rooms in which nothing else changed (C-S API, Receiving notifications).</summary>
sealed class SyncUnread(UnreadCounts counts)
{
    public async Task Fill(SyncRequest request, UserRooms rooms, Changes changes, SyncResult result, CancellationToken ct)
    {
        foreach (var moved in changes.CountsMoved)
        {
            if (rooms.Rooms.TryGetValue(moved, out var room) && room.Membership == "join" && request.Filter.PassesRoom(room.RoomId))
                result.GetJoined(room);
        }
        if (result.Joined.Count == 0)
            return;
        var unread = await counts.Get(request.UserId, [.. result.Joined.Select(room => room.RoomNid)], ct);
        foreach (var room in result.Joined)
            room.Unread = unread.GetValueOrDefault(room.RoomNid) ?? RoomUnread.Nothing;
    }
}
