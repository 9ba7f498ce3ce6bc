using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Reporting;

/// <summary>POST /_matrix/client/v3/rooms/{roomId}/report: the user need not be in the room.</summary>
static class PostRoomReport
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/rooms/{roomId}/report", Handle);

    static async Task<Empty> Handle(
        RoomId roomId, Body<ReportRequest> body, Requester requester, RoomFinder rooms, Reports reports, CancellationToken ct)
    {
        requester.MustNotBeGuest();
        await reports.Check(requester, body.Value.Reason, ct);
        await rooms.Get(roomId, ct);
        await reports.Add(new Report(requester.UserId, roomId, null, null, body.Value.Reason ?? ""), ct);
        return default;
    }
}
