using System.Text.Json.Nodes;
using Matrix.Federation;
using Matrix.Protocol;
using Matrix.Rooms.Joining;
using Matrix.Rooms.Membership;
using Matrix.Rooms.Writing;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms;

/// <summary>Who does what to a membership, and why.</summary>
/// <param name="Reason">Shown to the room; null: none given.</param>
/// <param name="IsGuest">A guest account: it may join only where guests are let in.</param>
public readonly record struct MembershipRequest(UserId UserId, string? Reason = null, bool IsGuest = false);

/// <summary>
/// Changes of membership by users of this server, in its own rooms and in those of others. What the auth rules decide is left to them; here is what makes
/// no sense before them.
/// </summary>
public sealed class RoomMembership(
    RoomWriter writer, RoomFinder rooms, MembershipStore memberships, MemberProfileStore profiles, RoomPreload preload, RemoteMembership remote,
    Invites invites, PartialRooms partial, ServerSigningKey own)
{
    /// <summary>Their events go into a few commits together.</summary>
    const int RoomsAtOnce = 50;

    /// <summary>Joins, or does nothing for a member.</summary>
    /// <param name="via">Servers that the user names, by which the room may be reached if this one is not in it.</param>
    /// <param name="admit">Asked before anything is done: true, other servers have to let this one into the room first. Refuses by an exception.</param>
    public async Task<SentEvent> Join(
        RoomId roomId, MembershipRequest request, CancellationToken ct, IReadOnlyList<ServerName>? via = null, Func<bool, Task>? admit = null)
    {
        var user = request.UserId;
        var standing = await memberships.FindStanding(roomId, user, ct);
        IReadOnlyList<ServerName> servers = standing.IsResident ? [] : await remote.Candidates(roomId, standing, via, ct);
        if (admit is not null)
            await admit(servers.Count > 0);
        if (servers.Count > 0)
            return await remote.Join(roomId, user, Content("join", standing, request.Reason), servers, ct);
        var room = await rooms.Get(roomId, ct);
        try
        {
            return await writer.Write(room, (chain, token) => Join(chain, request, Content("join", standing, request.Reason), token), null, ct);
        }
        catch (RoomException e) when (e.Errcode is RestrictedJoin.CannotTell or RestrictedJoin.CannotGrant)
        {
            // another server in the room may be able to let the user in
            if (await remote.Candidates(roomId, standing, via, ct) is not { Count: > 0 } others)
                throw;
            return await remote.Join(roomId, user, Content("join", standing, request.Reason), others, ct);
        }
    }

    async ValueTask<EventId> Join(EventChain chain, MembershipRequest request, JsonObject content, CancellationToken ct)
    {
        var user = request.UserId;
        if (await chain.Find(EventTypes.Member, user.ToString(), ct) is { Membership: "join" } member)
            return member.EventId;
        if (request.IsGuest && (await chain.Find(EventTypes.GuestAccess, "", ct))?.ContentString("guest_access"u8) != "can_join")
            throw RoomException.GuestsNotAllowed();
        if (await new RestrictedJoin(rooms, memberships, partial, user, chain, own.ServerName).FindAuthoriser(ct) is { } authoriser)
            content["join_authorised_via_users_server"] = authoriser.ToString();
        return (await chain.Add(MemberContent.Draft(user, user, content), ct)).EventId;
    }

    static JsonObject Content(string membership, RoomStanding standing, string? reason) =>
        MemberContent.Create(membership, new MemberProfile("", standing.DisplayName, standing.AvatarUrl), reason);

    /// <summary>Asks to be let in.</summary>
    /// <param name="via">Servers that the user names, by which the room may be reached if this one is not in it.</param>
    public async Task<SentEvent> Knock(RoomId roomId, MembershipRequest request, CancellationToken ct, IReadOnlyList<ServerName>? via = null)
    {
        var standing = await memberships.FindStanding(roomId, request.UserId, ct);
        var content = Content("knock", standing, request.Reason);
        if (!standing.IsResident && await remote.Candidates(roomId, standing, via, ct) is { Count: > 0 } servers)
        {
            return standing.Membership == "invite" ? throw RoomException.Forbidden("You are invited to this room already: join it.")
                : await remote.Knock(roomId, request.UserId, content, servers, ct);
        }
        return await Set(roomId, request.UserId, request.UserId, content, current => current switch
        {
            "join" => throw RoomException.Forbidden("You are in this room already."),
            "invite" => throw RoomException.Forbidden("You are invited to this room already: join it."),
            "knock" => null,
            _ => "knock",
        }, ct);
    }

    /// <param name="isDirect">Marks the invite to a direct chat.</param>
    public async Task<SentEvent> Invite(RoomId roomId, MembershipRequest request, UserId target, bool isDirect, CancellationToken ct)
    {
        var content = MemberContent.Create("invite", await ProfileOfInvited(request.UserId, target, ct), request.Reason);
        if (isDirect)
            content["is_direct"] = true;
        if (target.Server != own.ServerName)
            return await invites.Send(await GetJoined(roomId, request.UserId, ct), request.UserId, target, content, ct);
        return await Set(roomId, request.UserId, target, content, current =>
            current == "join" ? throw RoomException.Forbidden($"{target} is in this room already.") : "invite", ct);
    }

    /// <summary>Leaves, turns down an invite, or takes back a knock. Does nothing for who has left already.</summary>
    public async Task<SentEvent> Leave(RoomId roomId, MembershipRequest request, CancellationToken ct)
    {
        var content = MemberContent.Create("leave", null, request.Reason);
        var standing = await memberships.FindStanding(roomId, request.UserId, ct);
        if (standing is { IsResident: false, Membership: "invite" or "knock" })
        {
            var room = await rooms.Get(roomId, ct);
            var servers = await remote.Candidates(roomId, standing, null, ct);
            if (servers.Count > 0 || !await remote.HasState(room, ct))
                return await remote.Leave(room, request.UserId, content, servers, ct);
        }
        return await Set(roomId, request.UserId, request.UserId, content, current => current switch
        {
            "leave" => null,
            null => throw RoomException.Forbidden("You are not in this room."),
            _ => "leave",
        }, ct, InPartialRoom.IsDone);
    }

    /// <summary>The invite of a user of another server goes there before it is in the room, so that a stranger cannot make us send it.</summary>
    async Task<Room> GetJoined(RoomId roomId, UserId userId, CancellationToken ct)
    {
        var room = await rooms.Get(roomId, ct);
        await partial.UntilWhole(room.RoomNid, ct);
        return await memberships.Find(room.RoomNid, userId, ct) is { Membership: "join" } ? room : throw RoomException.Forbidden("You are not in this room.");
    }

    public Task<SentEvent> Kick(RoomId roomId, MembershipRequest request, UserId target, CancellationToken ct) =>
        Set(roomId, request.UserId, target, MemberContent.Create("leave", null, request.Reason), current =>
            current is "join" or "invite" or "knock" ? "leave" : throw RoomException.Forbidden($"{target} is not in this room."), ct);

    public Task<SentEvent> Ban(RoomId roomId, MembershipRequest request, UserId target, CancellationToken ct) =>
        Set(roomId, request.UserId, target, MemberContent.Create("ban", null, request.Reason), _ => "ban", ct);

    public Task<SentEvent> Unban(RoomId roomId, MembershipRequest request, UserId target, CancellationToken ct) =>
        Set(roomId, request.UserId, target, MemberContent.Create("leave", null, request.Reason), current =>
            current == "ban" ? "leave" : throw RoomException.Forbidden($"{target} is not banned from this room."), ct);

    /// <summary>Hides a room that the user has left.</summary>
    public async Task Forget(RoomId roomId, UserId userId, CancellationToken ct)
    {
        var room = await rooms.Get(roomId, ct);
        if (!await memberships.Forget(room.RoomNid, userId, ct))
            throw new RoomException(400, "M_UNKNOWN", "Leave the room before you forget it.");
    }

    /// <summary>Lets this server's guests leave a room that no longer lets guests in (C-S API, Guest access, server behaviour).</summary>
    public async Task RemoveGuests(RoomId roomId, CancellationToken ct)
    {
        var room = await rooms.Get(roomId, ct);
        foreach (var guest in await memberships.ListGuests(room.RoomNid, ct))
            await Leave(roomId, new MembershipRequest(UserId.Parse(guest)), ct);
    }

    /// <summary>Shows a changed name or picture in every room that the user is in. One room that refuses does not keep the others from it.</summary>
    public async Task UpdateProfile(UserId userId, CancellationToken ct)
    {
        var profile = await Profile(userId, ct);
        var joined = await rooms.List([.. (await memberships.ListOfUser(userId, ["join"], ct)).Select(m => m.RoomNid)], ct);
        foreach (var some in joined.Chunk(RoomsAtOnce))
        {
            await preload.ForEventOf(userId, some, ct);
            await InEach(some, (room, token) => writer.Write(room, (chain, t) => ShowProfile(chain, userId, profile, t), null, token, inPartial: InPartialRoom.IsDone), ct);
        }
    }

    static Task InEach(IReadOnlyList<Room> rooms, Func<Room, CancellationToken, Task> act, CancellationToken ct)
    {
        var limits = new ParallelOptions { MaxDegreeOfParallelism = RoomsAtOnce, CancellationToken = ct };
        return Parallel.ForEachAsync(rooms, limits, async (room, token) =>
        {
            try
            {
                await act(room, token);
            }
            catch (RoomException)
            {
                // left or banned in the meantime
            }
        });
    }

    static async ValueTask<EventId> ShowProfile(EventChain chain, UserId userId, MemberProfile? profile, CancellationToken ct)
    {
        if (await chain.Find(EventTypes.Member, userId.ToString(), ct) is not { Membership: "join" } member)
            throw RoomException.Forbidden("The user has left.");
        var content = JsonNode.Parse(member.ContentJson.Span)!.AsObject();
        foreach (var changing in (string[])["displayname", "avatar_url", "reason", "join_authorised_via_users_server"])
            content.Remove(changing);
        foreach (var (name, value) in MemberContent.Create("join", profile))
            content[name] = value?.DeepClone();
        var draft = MemberContent.Draft(userId, userId, content);
        return (await chain.FindSame(draft, ct) ?? await chain.Add(draft, ct)).EventId;
    }

    /// <param name="next">From the target's membership (null: never had one) to the new one; null leaves it as it is.</param>
    async Task<SentEvent> Set(
        RoomId roomId, UserId sender, UserId target, JsonObject content, Func<string?, string?> next, CancellationToken ct,
        InPartialRoom inPartial = InPartialRoom.Waits)
    {
        var room = await rooms.Get(roomId, ct);
        return await writer.Write(room, async (chain, token) =>
        {
            var member = await chain.Find(EventTypes.Member, target.ToString(), token);
            if (next(member?.Membership) is null)
                return member!.EventId;
            var draft = MemberContent.Draft(sender, target, content);
            return (await chain.FindSame(draft, token) ?? await chain.Add(draft, token)).EventId;
        }, null, ct, inPartial: inPartial);
    }

    async Task<MemberProfile?> Profile(UserId userId, CancellationToken ct) =>
        (await profiles.List([userId], ct)).GetValueOrDefault(userId.ToString());

    async Task<MemberProfile?> ProfileOfInvited(UserId sender, UserId target, CancellationToken ct) =>
        target.Server == sender.Server ? await Profile(target, ct) : null;

    /// <summary>An invite that is sent as state: null if it is of a user of this server, and an event like others.</summary>
    public async Task<SentEvent?> InviteAbroad(RoomId roomId, UserId sender, string? invited, ReadOnlyMemory<byte> content, CancellationToken ct) =>
        UserId.TryParse(invited, out var target) && target.Server != own.ServerName
            ? await invites.Send(await GetJoined(roomId, sender, ct), sender, target, JsonNode.Parse(content.Span)!.AsObject(), ct) : null;
}
