using Matrix.ClientApi.Sync.Filters;
using Matrix.Protocol;

namespace Matrix.ClientApi.Sync.Typing;

/// <summary>Adds to an answer who is typing, where that changed.</summary>
sealed class SyncTyping(TypingRooms typing)
{
    public void Fill(SyncRequest request, UserRooms rooms, SyncResult result)
    {
        (result.Typing, var changes) = typing.ListSince(request.Since is null ? null : request.TypingSince ?? default(TypingMark));
        var filter = request.Filter.Room.Ephemeral;
        if (!filter.AllowsType(EventTypes.Typing))
            return;
        foreach (var change in changes)
        {
            if (rooms.Rooms.TryGetValue(change.RoomNid, out var room) && room.Membership == "join"
                && request.Filter.PassesRoom(room.RoomId) && filter.PassesRoom(room.RoomId))
                result.GetJoined(room).Typing = change.UserIds;
        }
    }
}
