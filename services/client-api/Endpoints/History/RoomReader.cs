using Matrix.ClientApi.Sync;
using Matrix.ClientApi.Sync.Visibility;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms;
using Matrix.Rooms.Joining;
using Matrix.Storage.Rooms;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Endpoints.History;

/// <summary>What a user may read of a room.</summary>
/// <param name="Until">The room's timeline for this user ends here: <see cref="long.MaxValue"/>, or where a former member left it.</param>
sealed record RoomView(Room Room, UserId User, long Until, Sight Sight)
{
    public long RoomNid => Room.RoomNid;

    public string UserId => Sight.UserId;

    public bool IsJoined => Sight.IsJoined;

    public TimelineRange Range(long after, long upTo) => new(RoomNid, after, Math.Min(upTo, Until), [], false, UserId, Sight);
}

/// <summary>Decides who may read what of a room: members, those who were members, and everybody where the history is world-readable.</summary>
sealed class RoomReader(RoomFinder rooms, RoomSights sights, SyncStore store, PartialRooms partial)
{
    /// <summary>403 for a user who has no part in the room, and for a room that does not exist: the difference is nobody's business.</summary>
    public async Task<RoomView> Open(RoomId roomId, UserId user, CancellationToken ct) =>
        await Find(roomId, user, ct) ?? throw MatrixException.Forbidden("You are not in this room.");

    public async ValueTask<RoomView?> Find(RoomId roomId, UserId user, CancellationToken ct) =>
        await rooms.Find(roomId, ct) is { } room ? await Find(room, user, ct) : null;

    public async ValueTask<RoomView?> Find(Room room, UserId user, CancellationToken ct)
    {
        var sight = await sights.Get(room.RoomNid, user.ToString(), ct);
        if (sight.IsJoined || sight.CurrentVisibility == HistoryVisibilityValue.WorldReadable)
            return new RoomView(room, user, long.MaxValue, sight);
        return sight is { WasJoined: true, Current: { Forgotten: false } left } ? new RoomView(room, user, left.Position, sight) : null;
    }

    /// <summary>The state that the user may read, as of a place in the timeline. Waits for a room whose members are not known yet.</summary>
    public async Task<StateNodeId?> FindState(RoomView view, long at, CancellationToken ct)
    {
        while (true)
        {
            var found = await store.ListStatesAt([view.RoomNid], [Math.Min(at, view.Until)], ct);
            if (found is not [{ IsPartial: true }])
                return found is [{ RoomState: { } root }] ? StateNodeId.Read(root) : null;
            await partial.UntilWhole(view.RoomNid, ct);
        }
    }
}
