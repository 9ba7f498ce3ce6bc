using Matrix.Protocol;
using Matrix.Rooms.Writing;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Membership;

/// <summary>Joining a room that lets in the members of other rooms (C-S API, Restricted rooms).</summary>
sealed class RestrictedJoin(RoomFinder rooms, MembershipStore memberships, UserId userId, EventChain chain)
{
    /// <summary>
    /// The local member who vouches for the join, null if none is needed: the room is not restricted, or the user is invited.
    /// </summary>
    /// <exception cref="RoomException">403: the user is in none of the rooms that it lets in. 400: nobody here may vouch for them.</exception>
    public async ValueTask<UserId?> FindAuthoriser(CancellationToken ct)
    {
        var joinRules = JoinRules.Read(await chain.Find(EventTypes.JoinRules, "", ct));
        if (!joinRules.IsRestricted)
            return null;
        if (await chain.Membership(userId, ct) is "invite" or "join" or "ban")
            return null;
        if (!await IsInOneOf(joinRules.AllowedRooms, ct))
            throw RoomException.Forbidden("You are in none of the rooms whose members may join this room.");
        return await FindVoucher(ct)
            ?? throw new RoomException(400, "M_UNABLE_TO_AUTHORISE_JOIN", "Nobody on this server may let you in.");
    }

    async ValueTask<bool> IsInOneOf(IEnumerable<RoomId> allowed, CancellationToken ct)
    {
        foreach (var roomId in allowed)
        {
            if (await rooms.Find(roomId, ct) is { } room && await memberships.Find(room.RoomNid, userId, ct) is { Membership: "join" })
                return true;
        }
        return false;
    }

    async ValueTask<UserId?> FindVoucher(CancellationToken ct)
    {
        var levels = await chain.PowerLevels(ct);
        foreach (var named in levels.Named.Where(user => user.Server == userId.Server && levels.For(user) >= levels.Invite))
        {
            if (await chain.Membership(named, ct) == "join")
                return named;
        }
        return levels.UsersDefault >= levels.Invite ? await memberships.FindJoinedOf(chain.Room.RoomNid, userId.Server, ct) : null;
    }
}
