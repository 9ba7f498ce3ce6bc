using Matrix.ClientApi.Endpoints.Rooms;
using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.Spaces;

/// <summary>GET /_matrix/client/v1/room_summary/{roomIdOrAlias}</summary>
static class GetRoomSummary
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v1/room_summary/{roomIdOrAlias}", Handle);

    static Task<RoomPreview> Handle(string roomIdOrAlias, string[]? via, OptionalRequester requester, RoomPreviews previews, CancellationToken ct) =>
        previews.Get(roomIdOrAlias, MembershipRequests.Servers(via), requester.Value?.UserId, ct);
}
