using Matrix.Protocol;
using Npgsql;

namespace Matrix.Storage;

/// <summary>Something that a user finds should be looked at by whoever moderates the server.</summary>
/// <param name="RoomId">Null: a user is reported.</param>
/// <param name="EventId">Null: the room, or the user.</param>
/// <param name="ReportedUser">The user, or the event's sender.</param>
public sealed record Report(UserId Reporter, RoomId? RoomId, EventId? EventId, UserId? ReportedUser, string Reason);

/// <summary>What was reported.</summary>
public sealed class ReportStore(NpgsqlDataSource db)
{
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
