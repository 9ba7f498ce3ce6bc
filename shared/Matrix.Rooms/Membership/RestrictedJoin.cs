using System.Text.Json;
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
        var joinRules = await chain.Find(EventTypes.JoinRules, "", ct);
        if (joinRules?.ContentString("join_rule"u8) is not ("restricted" or "knock_restricted") || !chain.Room.Rules.HasRestrictedJoins)
            return null;
        if (await chain.Membership(userId, ct) is "invite" or "join" or "ban")
            return null;
        if (!await IsInOneOf(AllowedRooms(joinRules.Content), ct))
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

    static IEnumerable<RoomId> AllowedRooms(JsonElement joinRules)
    {
        if (!joinRules.TryGetProperty("allow", out var allow) || allow.ValueKind != JsonValueKind.Array)
            yield break;
        foreach (var condition in allow.EnumerateArray())
        {
            if (condition.ValueKind == JsonValueKind.Object
                && condition.TryGetProperty("type", out var type) && type.ValueEquals("m.room_membership")
                && condition.TryGetProperty("room_id", out var id) && id.ValueKind == JsonValueKind.String
                && RoomId.TryParse(id.GetString(), out var roomId))
                yield return roomId;
        }
    }

    async ValueTask<UserId?> FindVoucher(CancellationToken ct)
    {
        var levels = await chain.PowerLevels(ct);
        foreach (var named in (await NamedUsers(ct)).Where(user => user.Server == userId.Server && levels.For(user) >= levels.Invite))
        {
            if (await chain.Membership(named, ct) == "join")
                return named;
        }
        return levels.UsersDefault >= levels.Invite ? await memberships.FindJoinedOf(chain.Room.RoomNid, userId.Server, ct) : null;
    }

    /// <summary>Those whom the room gives a power of their own: a room has few of them, however many members it has.</summary>
    async ValueTask<List<UserId>> NamedUsers(CancellationToken ct)
    {
        var state = await chain.Find([new(EventTypes.Create, ""), new(EventTypes.PowerLevels, "")], ct);
        var named = state[0] is { } create ? RoomCreators.All(create).ToList() : [];
        if (state[1] is { } levels && levels.Content.TryGetProperty("users", out var users) && users.ValueKind == JsonValueKind.Object)
        {
            foreach (var user in users.EnumerateObject())
            {
                if (UserId.TryParse(user.Name, out var id))
                    named.Add(id);
            }
        }
        return named;
    }
}
