using Matrix.Protocol;
using Matrix.Rooms.Joining;
using Matrix.Rooms.State;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms;

/// <summary>Reads the states of rooms.</summary>
public sealed class RoomState(
    RoomStore rooms, MembershipStore memberships, EventStore events, StateTree tree, StateEvents stateEvents, PartialRooms partial)
{
    /// <summary>The root of the room's current state. Waits for a room whose members are not known yet.</summary>
    /// <exception cref="PartialRoomException">That takes longer than a request may wait.</exception>
    public async Task<StateNodeId> CurrentRoot(long roomNid, CancellationToken ct)
    {
        while (true)
        {
            var (root, isPartial) = await rooms.FindState(roomNid, ct) ?? throw new InvalidDataException($"Room {roomNid} has no head.");
            if (!isPartial)
                return root;
            await partial.UntilWhole(roomNid, ct);
        }
    }

    /// <summary>What stands now at a place that is no membership, with an empty state key: known even of a room whose members are not. Null: nothing.</summary>
    public async ValueTask<Pdu?> FindNow(Room room, string type, CancellationToken ct) =>
        await rooms.FindStateRoot(room.RoomNid, ct) is { } root ? await stateEvents.Find(root, type, "", ct) : null;

    /// <summary>The event that stands at the key, as it was signed, even if it was redacted since; or null.</summary>
    public ValueTask<Pdu?> Get(StateNodeId root, string type, string stateKey, CancellationToken ct) => stateEvents.Find(root, type, stateKey, ct);

    /// <summary>These events, which must exist, by number.</summary>
    public ValueTask<IReadOnlyDictionary<long, Pdu>> Get(IReadOnlyCollection<long> eventNids, CancellationToken ct) => stateEvents.Get(eventNids, ct);

    public Task<List<StateEntry>> ReadAll(StateNodeId root, CancellationToken ct) => tree.ReadAll(root, ct);

    public Task<List<StateDifference>> Diff(StateNodeId before, StateNodeId after, CancellationToken ct) => tree.Diff(before, after, ct);

    /// <summary>The number of the event that stands at the key, or null.</summary>
    public ValueTask<long?> Find(StateNodeId root, StateKeyPair key, CancellationToken ct) => tree.Find(root, key, ct);

    /// <summary>The numbers of the events that stand at the keys, in the same order.</summary>
    public ValueTask<long?[]> Find(StateNodeId root, IReadOnlyList<StateKeyPair> keys, CancellationToken ct) => tree.Find(root, keys, ct);

    /// <summary>
    /// The state that a user may see: the current one of a member or in a world-readable room, and for who has left the one at that time (C-S API, GET
    /// /rooms/{roomId}/state).
    /// </summary>
    /// <exception cref="RoomException">403: the user never was in the room.</exception>
    public async Task<StateNodeId> RootVisibleTo(Room room, UserId userId, CancellationToken ct)
    {
        var membership = await memberships.Find(room.RoomNid, userId, ct);
        if (membership?.Membership == "join")
            return await CurrentRoot(room.RoomNid, ct);
        var current = await CurrentRoot(room.RoomNid, ct);
        var visibility = await Get(current, EventTypes.HistoryVisibility, "", ct);
        if (HistoryVisibility.Read(visibility) == HistoryVisibilityValue.WorldReadable)
            return current;
        if (membership is { Membership: "leave" or "ban", Forgotten: false } && await RootAtLeave(membership, ct) is { } root)
            return root;
        throw RoomException.Forbidden("You are not in this room, and its history is not open to everybody.");
    }

    /// <summary>Null if the user was never in the room: an invite turned down, a knock taken back, a ban from outside.</summary>
    async Task<StateNodeId?> RootAtLeave(MembershipRow membership, CancellationToken ct)
    {
        var left = (await events.Get([membership.EventNid], ct)).GetValueOrDefault(membership.EventNid);
        if (left?.Position != membership.Position)
            return await events.FindMerge(membership.UserId, membership.Position, ct) is { Was: "join" } merge ? merge.RoomState : null;
        if (left.StateBefore is not { } before)
            return null;
        var was = await Get(before, EventTypes.Member, membership.UserId, ct);
        return was?.Membership == "join" ? left.RoomState : null;
    }
}
