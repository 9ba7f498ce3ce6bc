using System.Globalization;
using Matrix.Http;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Admin;

/// <summary>GET /_synapse/admin/v1/event_reports: what users reported, events, rooms and users, the newest first unless <c>dir=f</c>.</summary>
static class GetEventReports
{
    const int MostAtOnce = 500;

    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_synapse/admin/v1/event_reports", Handle);

    static async Task<Response> Handle(HttpContext context, Requester requester, ReportStore reports, CancellationToken ct)
    {
        requester.MustBeAdmin();
        var query = context.Request.Query;
        var (from, limit) = (Number(query, "from", 0), Math.Min(Number(query, "limit", 100), MostAtOnce));
        var oldestFirst = (string?)query["dir"] switch
        {
            null or "" or "b" => false,
            "f" => true,
            _ => throw MatrixException.InvalidParam("'dir' must be b or f."),
        };
        var filter = new ReportFilter(Text(query, "user_id"), Text(query, "room_id"));
        var (found, total) = await reports.List(filter, from, limit, oldestFirst, ct);
        return new Response([.. found.Select(ReportView.Of)], total, from + found.Count < total ? from + found.Count : null);
    }

    static long Number(IQueryCollection query, string name, long otherwise)
    {
        string? text = query[name];
        if (string.IsNullOrEmpty(text)) return otherwise;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            ? value : throw MatrixException.InvalidParam($"'{name}' must be a whole number, not negative.");
    }

    static string? Text(IQueryCollection query, string name) => (string?)query[name] is { Length: > 0 } text ? text : null;

    sealed record Response(ReportView[] EventReports, long Total, long? NextToken);
}
