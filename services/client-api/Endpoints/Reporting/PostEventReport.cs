using Matrix.ClientApi.Endpoints.History;
using Matrix.ClientApi.Sync;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Reporting;

/// <summary>POST /_matrix/client/v3/rooms/{roomId}/report/{eventId}: of an event that the user can see.</summary>
static class PostEventReport
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/rooms/{roomId}/report/{eventId}", Handle);

    static async Task<Empty> Handle(
        RoomId roomId, EventId eventId, Body<ReportRequest> body, Requester requester, EventReader events, Reports reports, CancellationToken ct)
    {
        requester.MustNotBeGuest();
        await reports.Check(requester, body.Value.Reason, ct);
        var (_, found) = await events.Get(roomId, eventId, requester, new EventBatch(), ct);
        await reports.Add(new Report(requester.UserId, roomId, eventId, UserId.Parse(found.Sender), body.Value.Reason ?? ""), ct);
        return default;
    }
}
