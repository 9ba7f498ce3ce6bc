using Matrix.Http;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Admin;

/// <summary>DELETE /_synapse/admin/v1/event_reports/{reportId}: it has been dealt with.</summary>
static class DeleteEventReport
{
    public static void Map(IEndpointRouteBuilder app) => app.MapDelete("/_synapse/admin/v1/event_reports/{reportId}", Handle);

    static async Task<Empty> Handle(long reportId, Requester requester, ReportStore reports, CancellationToken ct)
    {
        requester.MustBeAdmin();
        return await reports.Delete(reportId, ct) ? default(Empty) : throw MatrixException.NotFound("There is no such report.");
    }
}
