using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Reporting;

/// <summary>Takes reports, stores them for whoever moderates the server, and says so in the log.</summary>
sealed partial class Reports(ReportStore store, RateLimits limits, ILogger<Reports> log)
{
    const int LongestReason = 10_000;

    /// <summary>A report is a message to the moderators, and limited like one.</summary>
    public Task Check(Requester requester, string? reason, CancellationToken ct)
    {
        if (reason?.Length > LongestReason) throw MatrixException.InvalidParam("The reason is too long.");
        return limits.Check("rc_reports", requester.UserId.ToString(), ct);
    }

    public async Task Add(Report report, CancellationToken ct)
    {
        await store.Insert(report, ct);
        Reported(report.Reporter, report.RoomId, report.EventId, report.ReportedUser);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Reporter} reported room {Room}, event {ReportedEvent}, user {ReportedUser}")]
    partial void Reported(UserId reporter, RoomId? room, EventId? reportedEvent, UserId? reportedUser);
}

/// <param name="Reason">May be left out, or blank.</param>
sealed record ReportRequest(string? Reason);
