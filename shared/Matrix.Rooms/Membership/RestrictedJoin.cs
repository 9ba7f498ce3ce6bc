using Matrix.Protocol;
using Matrix.Rooms.Joining;
using Matrix.Rooms.Writing;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Membership;

/// <summary>Joining a room that lets in the members of other rooms (C-S API, Restricted rooms).</summary>
/// <param name="server">This one, which vouches.</param>
sealed class RestrictedJoin(RoomFinder rooms, MembershipStore memberships, PartialRooms partial, UserId userId, EventChain chain, ServerName server)
{
    public const string CannotTell = "M_UNABLE_TO_AUTHORISE_JOIN";
    public const string CannotGrant = "M_UNABLE_TO_GRANT_JOIN";

    /// <summary>
    /// The local member who vouches for the join, null if none is needed: the room is not restricted, or the user is invited.
    /// </summary>
    /// <exception cref="RoomException">
    /// 403: the user is in none of the rooms that it lets in. 400: this server is in none of these, or nobody here may vouch; another server may help.
    /// </exception>
    public async ValueTask<UserId?> FindAuthoriser(CancellationToken ct)
    {
        var joinRules = JoinRules.Read(await chain.Find(EventTypes.JoinRules, "", ct));
        if (!joinRules.IsRestricted)
            return null;
        if (await chain.Membership(userId, ct) is "invite" or "join" or "ban")
            return null;
        var isIn = await IsInOneOf(joinRules.AllowedRooms, ct);
        if (isIn is null)
            throw new RoomException(400, CannotTell, "This server is in none of the rooms whose members may join this room.");
        if (isIn == false)
            throw RoomException.Forbidden("You are in none of the rooms whose members may join this room.");
        return await FindVoucher(ct) ?? throw new RoomException(400, CannotGrant, "Nobody on this server may let you in.");
    }

    /// <summary>Null: this server cannot tell, since it is in none of the rooms.</summary>
    async ValueTask<bool?> IsInOneOf(IReadOnlyList<RoomId> allowed, CancellationToken ct)
    {
        const int most = 50;
        bool? known = allowed.Count == 0 ? false : null;
        foreach (var roomId in allowed.Take(most))
        {
            if (await rooms.Find(roomId, ct) is not { } room || !await memberships.IsResident(room.RoomNid, server, ct))
                continue;
            if (await memberships.Find(room.RoomNid, userId, ct) is { Membership: "join" })
                return true;
            // who else is in a room whose members are not known yet, others know
            if (!await partial.Contains(room.RoomNid, ct))
                known = false;
        }
        return known;
    }

    async ValueTask<UserId?> FindVoucher(CancellationToken ct)
    {
        var levels = await chain.PowerLevels(ct);
        foreach (var named in levels.Named.Where(user => user.Server == server && levels.For(user) >= levels.Invite))
        {
            if (await chain.Membership(named, ct) == "join")
                return named;
        }
        return levels.UsersDefault >= levels.Invite ? await memberships.FindJoinedOf(chain.Room.RoomNid, server, ct) : null;
    }
}
