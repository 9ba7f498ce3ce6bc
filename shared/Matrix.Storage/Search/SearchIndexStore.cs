using Npgsql;

namespace Matrix.Storage.Search;

/// <summary>An entry of the log that search may care for.</summary>
public sealed record IndexEntry(long Position, short Kind, long? EventNid, string? Key, string? UserId);

/// <summary>An event with the text of it that is searched.</summary>
public sealed record IndexEvent(long EventNid, long RoomNid, long Position, string Type, byte[] Json, bool IsRedacted);

/// <summary>A user as others find them; no name, no rooms: not to be found any more.</summary>
public sealed record DirectoryUser(string UserId, string? DisplayName, string? AvatarUrl, bool IsListed);

/// <summary>What is added to the index and taken out of it up to a position of the log.</summary>
public sealed class IndexChange
{
    public List<(long EventNid, long RoomNid, long Position, string Words)> Events { get; } = [];

    /// <summary>event_ids.</summary>
    public List<string> Redacted { get; } = [];

    public List<(DirectoryUser User, string Words)> Users { get; } = [];
}

/// <summary>Follows the log into the search index.</summary>
public sealed class SearchIndexStore(NpgsqlDataSource db)
{
    // so that whoever counts statements can tell these from those of requests
    const string Mark = "/* search index */";

    public Task<long> GetCursor(CancellationToken ct) => db.GetOne<long>($"SELECT position FROM search_cursor {Mark}", null, ct);

    public Task<IReadOnlyList<IndexEntry>> ListEntries(long after, int limit, CancellationToken ct) => db.List<IndexEntry>(
        $"SELECT position, kind, event_nid, key, user_id FROM log WHERE position > @after ORDER BY position LIMIT @limit {Mark}", new { after, limit }, ct);

    public Task<IReadOnlyList<IndexEvent>> ListEvents(IReadOnlyCollection<long> nids, CancellationToken ct) => db.List<IndexEvent>(
        $"""
        SELECT event_nid, room_nid, position, type, json, redacted_by IS NOT NULL AS is_redacted FROM events
        WHERE event_nid = ANY(@nids) AND position IS NOT NULL {Mark}
        """, new { nids = nids.ToArray() }, ct);

    /// <summary>Users as their accounts say, and those of other servers as their newest membership does.</summary>
    public Task<IReadOnlyList<DirectoryUser>> ListUsers(IReadOnlyCollection<string> userIds, CancellationToken ct) => db.List<DirectoryUser>(
        $"""
        SELECT i.user_id, CASE WHEN u.user_id IS NULL THEN m.display_name ELSE u.display_name END AS display_name,
            CASE WHEN u.user_id IS NULL THEN m.avatar_url ELSE u.avatar_url END AS avatar_url,
            m.position IS NOT NULL AND u.deactivated_at IS NULL AS is_listed
        FROM unnest(@userIds) AS i (user_id)
        LEFT JOIN users u USING (user_id)
        LEFT JOIN LATERAL (
            SELECT position, display_name, avatar_url FROM memberships x
            WHERE x.user_id = i.user_id AND x.membership = 'join' ORDER BY position DESC LIMIT 1) m ON true {Mark}
        """, new { userIds = userIds.ToArray() }, ct);

    /// <summary>Applies a change and moves the cursor, if it still is where the change was read at: one transaction and one round trip.</summary>
    /// <returns>False: somebody else has moved it.</returns>
    public async Task<bool> Apply(IndexChange change, long from, long to, CancellationToken ct)
    {
        await using var batch = db.CreateBatch();
        var move = batch.Add($"UPDATE search_cursor SET position = $2 WHERE position = $1 {Mark}", from, to);
        if (change.Events.Count > 0)
        {
            batch.Add($"""
                INSERT INTO event_search (event_nid, room_nid, position, words) SELECT e.nid, e.room, e.position, e.words::tsvector
                FROM search_cursor c, unnest($2, $3, $4, $5) AS e (nid, room, position, words) WHERE c.position = $1
                ON CONFLICT DO NOTHING {Mark}
                """, to, change.Events.Select(e => e.EventNid).ToArray(), change.Events.Select(e => e.RoomNid).ToArray(),
                change.Events.Select(e => e.Position).ToArray(), change.Events.Select(e => e.Words).ToArray());
        }
        if (change.Redacted.Count > 0)
        {
            batch.Add($"DELETE FROM event_search s USING events e WHERE e.event_id = ANY($1) AND s.event_nid = e.event_nid {Mark}",
                (object)change.Redacted.ToArray());
        }
        if (change.Users.Count > 0)
            AddUsers(batch, change.Users, to);
        await batch.ExecuteNonQueryAsync(ct);
        return move.RecordsAffected == 1;
    }

    static void AddUsers(NpgsqlBatch batch, List<(DirectoryUser User, string Words)> users, long to)
    {
        var listed = users.Where(user => user.User.IsListed).ToList();
        batch.Add($"DELETE FROM user_directory WHERE user_id = ANY($1) {Mark}",
            (object)users.Where(user => !user.User.IsListed).Select(user => user.User.UserId).ToArray());
        batch.Add($"""
            INSERT INTO user_directory (user_id, display_name, avatar_url, words) SELECT u.id, u.name, u.avatar, u.words::tsvector
            FROM search_cursor c, unnest($2, $3, $4, $5) AS u (id, name, avatar, words) WHERE c.position = $1
            ON CONFLICT (user_id) DO UPDATE SET display_name = excluded.display_name, avatar_url = excluded.avatar_url, words = excluded.words {Mark}
            """, to, listed.Select(user => user.User.UserId).ToArray(), listed.Select(user => user.User.DisplayName).ToArray(),
            listed.Select(user => user.User.AvatarUrl).ToArray(), listed.Select(user => user.Words).ToArray());
    }
}
