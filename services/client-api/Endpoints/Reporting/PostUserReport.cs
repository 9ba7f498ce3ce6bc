using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Reporting;

/// <summary>
/// POST /_matrix/client/v3/users/{userId}/report: also of users of other servers. Answered alike whether the user exists, which tells nobody who does.
/// </summary>
static class PostUserReport
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/users/{userId}/report", Handle);

    static async Task<Empty> Handle(
        UserId userId, Body<ReportRequest> body, Requester requester, AccountStore accounts, Reports reports, CancellationToken ct)
    {
        requester.MustNotBeGuest();
        await reports.Check(requester, body.Value.Reason, ct);
        if (userId.Server != requester.UserId.Server || await accounts.Find(userId, ct) is not null)
            await reports.Add(new Report(requester.UserId, null, null, userId, body.Value.Reason ?? ""), ct);
        return default;
    }
}
