using Matrix.ClientApi.Sync.Devices;
using Matrix.Protocol;

namespace Matrix.ClientApi.Sync.Presence;

/// <summary>Adds to an answer the presence of those who share a room with the user, where it changed.</summary>
sealed class SyncPresence(PresenceBoard board, PresenceIndex index, SharedRooms shared, PresenceOptions options)
{
    const string Type = "m.presence";

    public async ValueTask Fill(SyncRequest request, UserRooms rooms, Changes changes, SyncResult result, CancellationToken ct)
    {
        if (!options.Enabled)
            return;
        var mark = request.Since is null ? (PresenceMark?)null : request.PresenceSince ?? default(PresenceMark);
        var joined = rooms.Rooms.Values.Where(room => room.Membership == "join").Select(room => room.RoomNid);
        var fresh = changes.Rooms.Where(room => room.Full && !room.Left).Select(room => room.RoomNid).ToHashSet();
        var concerned = index.ListSince(mark, request.UserId, joined, fresh);
        result.PresenceMark = concerned.Mark;
        if (concerned.Users.Count + concerned.Doubtful.Count == 0 || !request.Filter.Presence.AllowsType(Type) || request.Filter.Presence.Limit == 0)
            return;
        foreach (var (userId, state) in board.List([.. concerned.Users, .. await InRooms(concerned.Doubtful, rooms, ct)]))
        {
            // who knows nothing yet takes everybody to be offline
            if ((mark is not null || state.Presence != PresenceState.Offline) && request.Filter.Presence.AllowsSender(UserId.Parse(userId)))
                result.Presence.Add((userId, state));
        }
    }

    async ValueTask<IEnumerable<string>> InRooms(IReadOnlyCollection<string> users, UserRooms rooms, CancellationToken ct)
    {
        if (users.Count == 0)
            return users;
        var roomsOf = await shared.Get(users, ct);
        return users.Where(user => Array.Exists(roomsOf[user], nid => rooms.Rooms.TryGetValue(nid, out var room) && room.Membership == "join"));
    }

    public static void Write(JsonSplicer to, string userId, PresenceState state, long now)
    {
        to.Raw("{\"type\":\"m.presence\",\"sender\":"u8);
        to.String(userId);
        to.Raw(",\"content\":{\"presence\":"u8);
        to.String(state.Presence);
        if (state.LastActive > 0)
        {
            to.Raw(",\"last_active_ago\":"u8);
            to.Number(Math.Max(0, now - state.LastActive));
        }
        if (state.Presence == PresenceState.Online)
        {
            to.Raw(",\"currently_active\":"u8);
            to.Boolean(state.CurrentlyActive);
        }
        if (state.StatusMessage is { } message)
        {
            to.Raw(",\"status_msg\":"u8);
            to.String(message);
        }
        to.Raw("}}"u8);
    }
}
