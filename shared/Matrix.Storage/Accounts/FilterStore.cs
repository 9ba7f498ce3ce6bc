using Matrix.Protocol;
using Npgsql;

namespace Matrix.Storage;

/// <summary>The filters that clients left with the server. They never change.</summary>
public sealed class FilterStore(NpgsqlDataSource db)
{
    /// <summary>The id of the user's filter with this text, which is stored unless it already is.</summary>
    public Task<long> Insert(UserId userId, string filter, CancellationToken ct) => db.FindOne<long>(
        """
        WITH known AS (SELECT filter_id FROM filters WHERE user_id = @userId AND filter = @filter LIMIT 1),
        added AS (
            INSERT INTO filters (user_id, filter) SELECT @userId, @filter WHERE NOT EXISTS (SELECT 1 FROM known)
            RETURNING filter_id)
        SELECT filter_id FROM known UNION ALL SELECT filter_id FROM added
        """, new { userId, filter }, ct);

    public Task<string?> Find(UserId userId, long filterId, CancellationToken ct) => db.FindOne<string>(
        "SELECT filter FROM filters WHERE user_id = @userId AND filter_id = @filterId", new { userId, filterId }, ct);
}
