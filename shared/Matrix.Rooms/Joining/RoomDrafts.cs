using Matrix.Protocol;
using Matrix.Rooms.Writing;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Joining;

/// <summary>Builds events that are not written yet, on the room's head as it is committed: others have to sign them first.</summary>
sealed class RoomDrafts(RoomStore rooms, EventBuilding building, RoomFinder finder, MembershipStore memberships, PartialRooms partial)
{
    public ServerName OwnName => building.Server.ServerName;

    /// <summary>A room that this server is in.</summary>
    /// <exception cref="RoomException">404: it is not, or does not know yet who else is: another server has to be asked.</exception>
    public async Task<Room> GetResident(RoomId roomId, CancellationToken ct) =>
        await finder.Find(roomId, ct) is { } room && await memberships.IsResident(room.RoomNid, OwnName, ct) && !await partial.Contains(room.RoomNid, ct)
            ? room : throw RoomException.UnknownRoom(roomId);

    /// <summary>A chain that will never be written.</summary>
    public async Task<EventChain> Begin(Room room, CancellationToken ct) =>
        new(building, room, await rooms.FindHead(room.RoomNid, ct) ?? throw new InvalidDataException($"Room {room.RoomNid} has no head."));

    /// <summary>What strangers are shown of the room, with the sender's own membership.</summary>
    public static async Task<List<Pdu>> Stripped(EventChain chain, UserId? sender, CancellationToken ct)
    {
        List<StateKeyPair> places = [.. StrippedState.Places];
        if (sender is { } user)
            places.Add(new StateKeyPair(EventTypes.Member, user.ToString()));
        return [.. (await chain.Find(places, ct)).OfType<Pdu>()];
    }

    /// <exception cref="RoomException">403: the room's list keeps the server out.</exception>
    public static async Task DemandAllowed(EventChain chain, ServerName server, CancellationToken ct)
    {
        if (!ServerAcl.Read(await chain.Find("m.room.server_acl", "", ct)).Allows(server))
            throw RoomException.Forbidden("Your server is not allowed in this room.");
    }
}
