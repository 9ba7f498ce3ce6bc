using Matrix.ClientApi.Sync;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage.Rooms;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Endpoints.History;

/// <summary>What a user may read of a room.</summary>
/// <param name="Until">The room's timeline for this user ends here: <see cref="long.MaxValue"/>, or where a former member left it.</param>
/// <param name="StayEnd">See <see cref="VisibilityFilter.Filter"/>.</param>
sealed record RoomView(long RoomNid, string UserId, bool IsJoined, long Until, long StayEnd)
{
    public TimelineRange Range(long after, long upTo) => new(RoomNid, after, Math.Min(upTo, Until), [], false, UserId, StayEnd);
}

/// <summary>Decides who may read what of a room: members, those who were members, and everybody where the history is world-readable.</summary>
sealed class RoomReader(RoomStore rooms, MembershipStore memberships, MembershipHistory history, VisibilityFilter visibility, SyncStore store)
{
    /// <summary>403 for a user who has no part in the room, and for a room that does not exist: the difference is nobody's business.</summary>
    public async Task<RoomView> Open(RoomId roomId, UserId user, CancellationToken ct) =>
        await Find(roomId, user, ct) ?? throw MatrixException.Forbidden("You are not in this room.");

    public async Task<RoomView?> Find(RoomId roomId, UserId user, CancellationToken ct)
    {
        if (await rooms.Find(roomId, ct) is not { } room)
            return null;
        var membership = await memberships.Find(room.RoomNid, user, ct);
        if (membership?.Membership == "join")
            return new RoomView(room.RoomNid, user.ToString(), true, long.MaxValue, long.MaxValue);
        var stayEnd = membership is null or { Forgotten: true } ? 0 : await history.FindStayEnd(user.ToString(), room.RoomNid, ct);
        var current = await rooms.FindStateRoot(room.RoomNid, ct);
        if (current is { } root && await visibility.FindVisibility(root, ct) == "world_readable")
            return new RoomView(room.RoomNid, user.ToString(), false, long.MaxValue, stayEnd);
        return stayEnd > 0 ? new RoomView(room.RoomNid, user.ToString(), false, membership!.Position, stayEnd) : null;
    }

    /// <summary>The state that the user may read, as of a place in the timeline.</summary>
    public async Task<StateNodeId?> FindState(RoomView view, long at, CancellationToken ct)
    {
        var found = await store.ListStatesAt([view.RoomNid], [Math.Min(at, view.Until)], ct);
        return found is [{ RoomState: { } root }] ? StateNodeId.Read(root) : null;
    }
}
