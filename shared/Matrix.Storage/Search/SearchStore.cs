using Npgsql;

namespace Matrix.Storage.Search;

/// <summary>A room that is searched, up to a position.</summary>
public readonly record struct SearchedRoom(long RoomNid, long Until);

/// <param name="Kinds">Of the texts: see <see cref="SearchStore.KindOf"/>.</param>
public sealed record SearchQuery(string Words, IReadOnlyList<SearchedRoom> Rooms, IReadOnlyList<string> Kinds, string? Sender, bool ByRank, int Offset, int Limit);

/// <param name="Count">Of all that was found, at most <see cref="SearchStore.MostFound"/>.</param>
public sealed record SearchHit(long EventNid, long RoomNid, long Position, double Rank, int Count);

/// <summary>An event near a hit.</summary>
/// <param name="Hit">The index of the hit.</param>
public sealed record SearchNeighbour(int Hit, long EventNid, long Position);

/// <summary>Finds events and users by their words.</summary>
public sealed class SearchStore(NpgsqlDataSource db)
{
    /// <summary>The newest so many that match are ranked and counted.</summary>
    public const int MostFound = 5000;

    /// <summary>Of more rooms than these the index does not tell the rooms apart.</summary>
    const int MostRoomMarks = 300;

    public static string KindOf(string key) => key switch
    {
        "content.body" => "@body",
        "content.name" => "@name",
        _ => "@topic",
    };

    public static string MarkOf(long roomNid) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"#{roomNid}");

    public Task<IReadOnlyList<SearchHit>> Find(SearchQuery query, CancellationToken ct)
    {
        var match = $"({query.Words}) & ({Any(query.Kinds)})";
        if (query.Rooms.Count <= MostRoomMarks)
            match += $" & ({Any(query.Rooms.Select(room => MarkOf(room.RoomNid)))})";
        return db.List<SearchHit>(
            $"""
            WITH found AS (
                SELECT s.event_nid, s.room_nid, s.position, s.words
                FROM event_search s JOIN unnest(@rooms, @until) AS r (nid, until) ON r.nid = s.room_nid AND s.position <= r.until
                WHERE s.words @@ @match::tsquery
                    AND (@sender::text IS NULL OR (SELECT e.sender FROM events e WHERE e.event_nid = s.event_nid) = @sender)
                ORDER BY s.position DESC LIMIT {MostFound})
            SELECT event_nid, room_nid, position, ts_rank(words, @words::tsquery)::float8 AS rank, (count(*) OVER ())::int AS count
            FROM found
            ORDER BY {(query.ByRank ? "rank DESC, " : "")}position DESC OFFSET @Offset LIMIT @Limit
            """, new
            {
                rooms = query.Rooms.Select(room => room.RoomNid).ToArray(), until = query.Rooms.Select(room => room.Until).ToArray(), match,
                words = query.Words, sender = query.Sender, query.Offset, query.Limit,
            }, ct);
    }

    /// <summary>The events before and after each hit in its room, in one query.</summary>
    public Task<IReadOnlyList<SearchNeighbour>> ListAround(IReadOnlyList<SearchHit> hits, long[] until, int before, int after, CancellationToken ct) =>
        db.List<SearchNeighbour>(
            """
            SELECT (h.n - 1)::int AS hit, e.event_nid, e.position
            FROM unnest(@rooms, @positions, @until) WITH ORDINALITY AS h (room, position, until, n)
            CROSS JOIN LATERAL (
                (SELECT event_nid, position FROM events WHERE room_nid = h.room AND position < h.position ORDER BY position DESC LIMIT @before)
                UNION ALL
                (SELECT event_nid, position FROM events WHERE room_nid = h.room AND position > h.position AND position <= h.until ORDER BY position LIMIT @after)) e
            """, new { rooms = hits.Select(hit => hit.RoomNid).ToArray(), positions = hits.Select(hit => hit.Position).ToArray(), until, before, after }, ct);

    /// <summary>Users whom a user may find: who share a room with them, or are in one that is open to everybody. Best first.</summary>
    /// <param name="everybody">All users, wherever they are.</param>
    public Task<IReadOnlyList<DirectoryUser>> FindUsers(string words, string userId, bool everybody, int limit, CancellationToken ct) =>
        db.List<DirectoryUser>(
            $"""
            WITH found AS (SELECT * FROM user_directory WHERE words @@ @words::tsquery AND user_id <> @userId LIMIT {MostFound})
            SELECT d.user_id, d.display_name, d.avatar_url, true AS is_listed FROM found d
            WHERE @everybody OR EXISTS (
                SELECT FROM memberships m JOIN room_summaries s USING (room_nid)
                WHERE m.user_id = d.user_id AND m.membership = 'join' AND (s.join_rule = 'public' OR s.history_visibility = 'world_readable'
                    OR EXISTS (SELECT FROM memberships o WHERE o.room_nid = m.room_nid AND o.user_id = @userId AND o.membership = 'join')))
            ORDER BY ts_rank(d.words, @words::tsquery) DESC, d.display_name IS NULL, d.avatar_url IS NULL, d.user_id LIMIT @limit
            """, new { words, userId, everybody, limit }, ct);

    static string Any(IEnumerable<string> marks) => string.Join(" | ", marks.Select(mark => $"'{mark}'"));
}
