using Matrix.Protocol;
using Matrix.Rooms;
using Matrix.Rooms.Access;

namespace Matrix.FederationReader.Edus;

/// <summary>In which rooms a server may say what is of that room (Server-Server API, Server Access Control Lists: typing and receipts).</summary>
sealed class EduAcls(RoomFinder rooms, RoomAcls acls)
{
    public async Task<HashSet<RoomId>> Allows(IReadOnlyCollection<RoomId> roomIds, ServerName server, CancellationToken ct)
    {
        var allowed = new HashSet<RoomId>(roomIds.Count);
        foreach (var roomId in roomIds)
        {
            if (await rooms.Find(roomId, ct) is { } room && await acls.Allows(room, server, ct))
                allowed.Add(roomId);
        }
        return allowed;
    }
}
