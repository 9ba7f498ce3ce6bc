using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms;
using Matrix.Rooms.Access;
using Matrix.Rooms.Joining;
using Matrix.Storage.Rooms;

namespace Matrix.FederationReader;

/// <summary>Decides whether another server may ask about a room.</summary>
sealed class FederatedRooms(RoomFinder rooms, RoomAcls acls, RoomResidency residency, RoomServers servers, PartialRooms partial)
{
    /// <summary>The room, of which this server and the other one are part.</summary>
    /// <exception cref="MatrixException">404: this server is not in such a room, or does not know its members yet. 403: the other one is not, or its access control list denies it.</exception>
    public async Task<Room> Open(RoomId roomId, Origin origin, CancellationToken ct)
    {
        var room = await OpenForAll(roomId, origin, ct);
        return await servers.Contains(room.RoomNid, origin.Server, ct) ? room : throw MatrixException.Forbidden("Your server is not in this room.");
    }

    /// <summary>Refuses a server that the room's access control list denies, if this server is in the room and so knows.</summary>
    /// <exception cref="MatrixException">403</exception>
    public async Task DemandAllowed(RoomId roomId, Origin origin, CancellationToken ct)
    {
        if (await rooms.Find(roomId, ct) is { } room && await residency.IsIn(room, ct) && !await acls.Allows(room, origin.Server, ct))
            throw Denied();
    }

    /// <summary>The room, whether or not the other server is in it.</summary>
    public async Task<Room> OpenForAll(RoomId roomId, Origin origin, CancellationToken ct)
    {
        if (await rooms.Find(roomId, ct) is not { } room || !await residency.IsIn(room, ct))
            throw MatrixException.NotFound("This server is not in such a room.");
        // what it would tell of the states is not all there is: others know
        if (await partial.Contains(room.RoomNid, ct))
            throw MatrixException.NotFound("This server does not know the members of the room yet.");
        return await acls.Allows(room, origin.Server, ct) ? room : throw Denied();
    }

    static MatrixException Denied() => MatrixException.Forbidden("The room's access control list denies your server.");
}
