using Matrix.ClientApi.Sync.Devices;
using Matrix.Protocol;

namespace Matrix.ClientApi.Sync.Presence;

/// <summary>Adds to an answer the presence of those who share a room with the user, where it changed.</summary>
sealed class SyncPresence(PresenceBoard board, SharedRooms shared, PresenceOptions options)
{
    const string Type = "m.presence";

    public async ValueTask Fill(SyncRequest request, UserRooms rooms, SyncResult result, CancellationToken ct)
    {
        if (!options.Enabled)
            return;
        (result.PresenceMark, var users) = board.ListSince(request.Since is null ? null : request.PresenceSince ?? default(PresenceMark));
        if (users.Count == 0 || !request.Filter.Presence.AllowsType(Type) || request.Filter.Presence.Limit == 0)
            return;
        var roomsOf = await shared.Get([.. users.Select(user => user.UserId)], ct);
        foreach (var (userId, state) in users)
        {
            var isSeen = userId == request.UserId
                || Array.Exists(roomsOf[userId], nid => rooms.Rooms.TryGetValue(nid, out var room) && room.Membership == "join");
            if (isSeen && request.Filter.Presence.AllowsSender(UserId.Parse(userId)))
                result.Presence.Add((userId, state));
        }
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
