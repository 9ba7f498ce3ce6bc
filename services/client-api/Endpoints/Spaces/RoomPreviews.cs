using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms;
using Matrix.Storage.Rooms;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Endpoints.Spaces;

/// <summary>What somebody is shown of a room who is perhaps not in it.</summary>
sealed class RoomPreviews(RoomAliases aliases, RoomDetailStore details, RoomAccess access, SyncStore store)
{
    /// <summary>404 alike for a room that does not exist and for one that the user may not know of.</summary>
    public async Task<RoomPreview> Get(string roomIdOrAlias, UserId? user, CancellationToken ct)
    {
        var roomId = await aliases.Resolve(roomIdOrAlias, ct);
        if (await details.List([roomId.ToString()], ct) is not [var room])
            throw NotFound();
        var guest = user is { } known ? new RoomGuest(await store.ListMemberships(known.ToString(), ct)) : RoomGuest.Nobody;
        var allowed = await access.ListAllowed(room, ct);
        if (!RoomAccess.MayKnow(room, guest, allowed))
            throw NotFound();
        return RoomPreview.Of(room, allowed) with { Membership = user is null ? null : guest.Membership(room.RoomId) ?? "leave" };
    }

    static MatrixException NotFound() => MatrixException.NotFound("Room not found.");
}

/// <summary>The specification's RoomSummary.</summary>
sealed record RoomPreview(
    string RoomId, string? Name, string? Topic, string? AvatarUrl, string? CanonicalAlias, int NumJoinedMembers, bool WorldReadable, bool GuestCanJoin,
    string? JoinRule, string? RoomType, string? Encryption, string RoomVersion, IReadOnlyList<string>? AllowedRoomIds, string? Membership = null)
{
    public static RoomPreview Of(RoomDetail room, IReadOnlyList<string> allowed) => new(
        room.RoomId, room.Name, room.Topic, room.AvatarUrl, room.CanonicalAlias, room.JoinedCount, room.HistoryVisibility == "world_readable",
        room.GuestAccess == "can_join", room.JoinRule ?? "invite", room.RoomType, room.Encryption, room.Version, allowed.Count > 0 ? allowed : null);
}
