using Matrix.Http;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Admin;

/// <summary>GET /_synapse/admin/v1/event_reports/{reportId}</summary>
static class GetEventReport
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_synapse/admin/v1/event_reports/{reportId}", Handle);

    static async Task<ReportView> Handle(long reportId, Requester requester, ReportStore reports, CancellationToken ct)
    {
        requester.MustBeAdmin();
        return ReportView.Of(await reports.Find(reportId, ct) ?? throw MatrixException.NotFound("There is no such report."));
    }
}

/// <summary>A report as administrators see it.</summary>
/// <param name="Sender">Of the event, or the user who was reported.</param>
/// <param name="UserId">Who reported it.</param>
sealed record ReportView(long Id, long ReceivedTs, string? RoomId, string? EventId, string UserId, string? Sender, string Reason)
{
    public static ReportView Of(StoredReport report) => new(
        report.ReportId, report.ReceivedAt.ToUnixTimeMilliseconds(), report.RoomId, report.EventId, report.Reporter, report.ReportedUser, report.Reason);
}
