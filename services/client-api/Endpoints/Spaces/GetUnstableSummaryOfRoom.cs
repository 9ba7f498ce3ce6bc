namespace Matrix.ClientApi.Endpoints.Spaces;

/// <summary>GET /_matrix/client/unstable/im.nheko.summary/rooms/{roomIdOrAlias}/summary, the oldest name of the room summary</summary>
static class GetUnstableSummaryOfRoom
{
    public static void Map(IEndpointRouteBuilder app) =>
        app.MapGet("/_matrix/client/unstable/im.nheko.summary/rooms/{roomIdOrAlias}/summary", GetUnstableRoomSummary.Handle);
}
