using Matrix.ClientApi.Endpoints.Rooms;
using System.Text.Json.Serialization;
using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.Spaces;

/// <summary>GET /_matrix/client/unstable/im.nheko.summary/summary/{roomIdOrAlias}, the name before version 1.15 of the specification</summary>
static class GetUnstableRoomSummary
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/unstable/im.nheko.summary/summary/{roomIdOrAlias}", Handle);

    internal static async Task<Response> Handle(string roomIdOrAlias, string[]? via, OptionalRequester requester, RoomPreviews previews, CancellationToken ct)
    {
        var found = await previews.Get(roomIdOrAlias, MembershipRequests.Servers(via), requester.Value?.UserId, ct);
        return new Response(
            found.RoomId, found.Name, found.Topic, found.AvatarUrl, found.CanonicalAlias, found.NumJoinedMembers, found.WorldReadable, found.GuestCanJoin,
            found.JoinRule, found.RoomType, found.Membership, found.RoomVersion, found.Encryption);
    }

    internal sealed record Response(
        string RoomId, string? Name, string? Topic, string? AvatarUrl, string? CanonicalAlias, int NumJoinedMembers, bool WorldReadable, bool GuestCanJoin,
        string? JoinRule, string? RoomType, string? Membership, [property: JsonPropertyName("im.nheko.summary.room_version")] string? RoomVersion,
        [property: JsonPropertyName("im.nheko.summary.encryption")] string? Encryption);
}
