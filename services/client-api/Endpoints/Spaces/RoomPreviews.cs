using Matrix.Federation;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms.Joining;
using Matrix.Rooms.Spaces;
using Matrix.Storage.Rooms;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Endpoints.Spaces;

/// <summary>What somebody is shown of a room who is perhaps not in it.</summary>
sealed class RoomPreviews(RemoteAliases aliases, RoomDetailStore details, RoomAccess access, SyncStore store, RemoteSpaces remote,
    RoomServers known, ServerSigningKey own)
{
    /// <summary>404 alike for a room that does not exist and for one that the user may not know of.</summary>
    public async Task<RoomPreview> Get(string roomIdOrAlias, IReadOnlyList<ServerName> via, UserId? user, CancellationToken ct)
    {
        var (roomId, servers) = await aliases.Resolve(roomIdOrAlias, via, ct);
        var guest = user is { } asking ? new RoomGuest(await store.ListMemberships(asking.ToString(), ct)) : RoomGuest.Nobody;
        var room = await details.Find(roomId, own.ServerName, ct);
        if (room is null || !SpaceTree.IsHere(room))
            return await GetRemote(roomId, [.. servers, .. await SpaceTree.WhoTells(roomId, room, known, ct)], user, guest, ct);
        var allowed = await access.ListAllowed(room, ct);
        if (!RoomAccess.MayKnow(room, guest, allowed))
            throw NotFound();
        return RoomPreview.Of(room, allowed) with { Membership = user is null ? null : guest.Membership(room.RoomId) ?? "leave" };
    }

    /// <summary>Strangers do not make this server ask others.</summary>
    async Task<RoomPreview> GetRemote(RoomId roomId, IReadOnlyList<ServerName> asked, UserId? user, RoomGuest guest, CancellationToken ct)
    {
        if (user is null)
            throw NotFound();
        if (await remote.Find(roomId, asked, false, ct) is not { Room: { } room } || !RoomAccess.MayKnow(room, guest))
            throw NotFound();
        return RoomPreview.Of(room) with { Membership = guest.Membership(room.RoomId) ?? "leave" };
    }

    static MatrixException NotFound() => MatrixException.NotFound("Room not found.");
}

/// <summary>The specification's RoomSummary.</summary>
sealed record RoomPreview(
    string RoomId, string? Name, string? Topic, string? AvatarUrl, string? CanonicalAlias, int NumJoinedMembers, bool WorldReadable, bool GuestCanJoin,
    string? JoinRule, string? RoomType, string? Encryption, string? RoomVersion, IReadOnlyList<string>? AllowedRoomIds, string? Membership = null)
{
    /// <summary>Of a room of which another server told.</summary>
    public static RoomPreview Of(SpaceSummary room) => new(
        room.RoomId, room.Name, room.Topic, room.AvatarUrl, room.CanonicalAlias, room.NumJoinedMembers, room.WorldReadable, room.GuestCanJoin,
        room.JoinRule ?? "public", room.RoomType, room.Encryption, room.RoomVersion, room.AllowedRoomIds is { Count: > 0 } allowed ? allowed : null);

    public static RoomPreview Of(RoomDetail room, IReadOnlyList<string> allowed) => new(
        room.RoomId, room.Name, room.Topic, room.AvatarUrl, room.CanonicalAlias, room.JoinedCount, room.HistoryVisibility == "world_readable",
        room.GuestAccess == "can_join", room.JoinRule ?? "invite", room.RoomType, room.Encryption, room.Version, allowed.Count > 0 ? allowed : null);
}
