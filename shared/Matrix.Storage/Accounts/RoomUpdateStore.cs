using Matrix.Protocol;
using Npgsql;

namespace Matrix.Storage;

/// <summary>A change of an account that its rooms may not show yet.</summary>
public sealed record RoomUpdateDue(UserId UserId, Guid Mark);

/// <summary>Which accounts' rooms have to be brought up to date.</summary>
public sealed class RoomUpdateStore(NpgsqlDataSource db)
{
    /// <summary>For other stores: marks the user <c>@userId</c> in the same command that changes the account.</summary>
    internal const string MarkSql =
        """
        INSERT INTO room_updates_due (user_id, mark) VALUES (@userId, gen_random_uuid())
        ON CONFLICT (user_id) DO UPDATE SET mark = excluded.mark, marked_at = now();
        """;

    internal static void AddMark(NpgsqlBatch batch, UserId userId) => batch.Add(MarkSql.Replace("@userId", "$1", StringComparison.Ordinal), userId);

    public Task<RoomUpdateDue?> Find(UserId userId, CancellationToken ct) =>
        db.FindOne<RoomUpdateDue>("SELECT user_id, mark FROM room_updates_due WHERE user_id = @userId", new { userId }, ct);

    /// <summary>What has waited for longer than a request takes, the oldest first.</summary>
    public Task<IReadOnlyList<RoomUpdateDue>> ListLeftOver(TimeSpan age, int limit, CancellationToken ct) => db.List<RoomUpdateDue>(
        "SELECT user_id, mark FROM room_updates_due WHERE marked_at < now() - @age ORDER BY marked_at LIMIT @limit", new { age, limit }, ct);

    /// <summary>It is done, unless there was another change meanwhile.</summary>
    public Task<int> Delete(RoomUpdateDue done, CancellationToken ct) =>
        db.Execute("DELETE FROM room_updates_due WHERE user_id = @UserId AND mark = @Mark", new { done.UserId, done.Mark }, ct);
}
