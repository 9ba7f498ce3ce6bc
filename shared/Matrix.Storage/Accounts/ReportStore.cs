using Matrix.Protocol;
using Npgsql;

namespace Matrix.Storage;

/// <summary>Something that a user finds should be looked at by whoever moderates the server.</summary>
/// <param name="RoomId">Null: a user is reported.</param>
/// <param name="EventId">Null: the room, or the user.</param>
/// <param name="ReportedUser">The user, or the event's sender.</param>
public sealed record Report(UserId Reporter, RoomId? RoomId, EventId? EventId, UserId? ReportedUser, string Reason);

/// <summary>A report as it is stored.</summary>
public sealed record StoredReport(
    long ReportId, DateTimeOffset ReceivedAt, string Reporter, string? RoomId, string? EventId, string? ReportedUser, string Reason);

/// <param name="Reporter">Null: anybody's.</param>
/// <param name="RoomId">Null: of any room, or none.</param>
public sealed record ReportFilter(string? Reporter, string? RoomId);

/// <summary>What was reported.</summary>
public sealed class ReportStore(NpgsqlDataSource db)
{
    const string Columns = "report_id, received_at, reporter, room_id, event_id, reported_user, reason";

    /// <summary>A page of reports, and how many there are; by primary key, the newest first unless <paramref name="oldestFirst"/>.</summary>
    public async Task<(IReadOnlyList<StoredReport> Page, long Total)> List(
        ReportFilter filter, long skip, long limit, bool oldestFirst, CancellationToken ct)
    {
        const string Where = "WHERE (@Reporter::text IS NULL OR reporter = @Reporter) AND (@RoomId::text IS NULL OR room_id = @RoomId)";
        var args = new { filter.Reporter, filter.RoomId, skip, limit };
        var page = await db.List<StoredReport>(
            $"SELECT {Columns} FROM reports {Where} ORDER BY report_id {(oldestFirst ? "ASC" : "DESC")} OFFSET @skip LIMIT @limit", args, ct);
        return (page, await db.GetOne<long>($"SELECT count(*) FROM reports {Where}", args, ct));
    }

    public Task<StoredReport?> Find(long reportId, CancellationToken ct) =>
        db.FindOne<StoredReport>($"SELECT {Columns} FROM reports WHERE report_id = @reportId", new { reportId }, ct);

    public async Task<bool> Delete(long reportId, CancellationToken ct) =>
        await db.Execute("DELETE FROM reports WHERE report_id = @reportId", new { reportId }, ct) == 1;

    public Task<int> Insert(Report report, CancellationToken ct) => db.Execute(
        """
        INSERT INTO reports (reporter, room_id, event_id, reported_user, reason) VALUES (@Reporter, @RoomId, @EventId, @ReportedUser, @Reason)
        """,
        new
        {
            report.Reporter, RoomId = report.RoomId?.ToString(), EventId = report.EventId?.ToString(), ReportedUser = report.ReportedUser?.ToString(),
            report.Reason,
        }, ct);
}
