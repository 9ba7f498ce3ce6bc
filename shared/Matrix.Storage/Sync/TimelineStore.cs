using System.Text;
using Npgsql;

namespace Matrix.Storage.Sync;

/// <summary>Stretches of a room's timeline, in the order of reading: in each, positions above the first bound, up to and including the second.</summary>
/// <param name="AcrossGaps">Read on below an event before which others are missing. Forwards that is always so.</param>
public sealed record TimelineStretches(long RoomNid, long[] After, long[] UpTo, bool Forwards, bool AcrossGaps);

/// <summary>Which events are wanted, as far as Postgres decides; null stands for everything. Types are LIKE patterns.</summary>
/// <param name="HasUrl">The content may have a member <c>url</c>: whoever asked looks again.</param>
/// <param name="RelatedTypes">Some other event has one of these relations to it.</param>
/// <param name="RelatedSenders">Some other event by one of these users relates to it.</param>
public sealed record EventsWanted(
    string[]? Types, string[] NotTypes, string[]? Senders, string[] NotSenders, bool HasUrl, string[]? RelatedTypes = null, string[]? RelatedSenders = null);

/// <param name="Places">In the order of reading.</param>
/// <param name="Reached">Everything up to this position was looked at; null: all of the stretches.</param>
/// <param name="Scanned">How many events were looked at.</param>
/// <param name="Gap">Everything was looked at down to the event at this position, before which others are missing: there the reading ends.</param>
public sealed record TimelineScan(IReadOnlyList<TimelinePlace> Places, long? Reached, int Scanned, long? Gap = null);

/// <summary>An event that decides what a user may see of a room: a history visibility, or a membership of the user.</summary>
/// <param name="Json">As stored.</param>
public sealed record SightRow(long RoomNid, bool OfUser, long Position, byte[] Json);

/// <summary>A user's current membership of a room, as its table has it.</summary>
public sealed record SightMembership(long RoomNid, string Membership, long Position, bool Forgotten);

/// <summary>Reads stretches of timelines, and what decides who may see them.</summary>
public sealed class TimelineStore(NpgsqlDataSource db)
{
    /// <summary>The first events of the stretches in the order of reading. By the index events_timeline, which stops after the last one wanted.</summary>
    public async Task<TimelineScan> List(TimelineStretches range, int limit, CancellationToken ct)
    {
        await using var command = db.CreateCommand(
            $"SELECT e.event_nid, e.position{(StopsAtGap(range) ? $", {Gap}" : "")} FROM {Walk(range, "event_nid, position")} LIMIT $4");
        Bind(command, range, limit);
        var places = new List<TimelinePlace>(Math.Min(limit, 256));
        await using var reader = await command.ExecuteReaderAsync(ct);
        long? gap = null;
        while (await reader.ReadAsync(ct))
        {
            places.Add(new TimelinePlace(range.RoomNid, reader.GetInt64(0), reader.GetInt64(1)));
            gap = StopsAtGap(range) && !reader.IsDBNull(2) && reader.GetInt64(2) == places[^1].Position ? places[^1].Position : null;
        }
        return new TimelineScan(places, places.Count < limit || gap is not null ? null : places[^1].Position, places.Count, gap);
    }

    /// <summary>Those of the next <paramref name="scan"/> events that are wanted. Looks at no more than that, however few are found.</summary>
    public async Task<TimelineScan> Find(TimelineStretches range, EventsWanted wanted, int limit, int scan, CancellationToken ct)
    {
        await using var command = db.CreateCommand(
            $"""
            WITH scanned AS MATERIALIZED (
                SELECT e.* FROM {Walk(range, "event_nid, position, event_id, type, sender, json")} LIMIT $4)
            (SELECT s.event_nid, s.position, NULL::bigint FROM scanned s WHERE {Condition(wanted)} LIMIT $5)
            UNION ALL
            SELECT -count(*), {(range.Forwards ? "max" : "min")}(position), {(StopsAtGap(range) ? Gap : "NULL")} FROM scanned
            """);
        Bind(command, range, scan);
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        foreach (var list in Lists(wanted))
            command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = list });
        var places = new List<TimelinePlace>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            if (reader.GetInt64(0) > 0)
            {
                places.Add(new TimelinePlace(range.RoomNid, reader.GetInt64(0), reader.GetInt64(1)));
                continue;
            }
            var scanned = (int)-reader.GetInt64(0);
            var end = places.Count == limit ? places[^1].Position : scanned > 0 ? reader.GetInt64(1) : (long?)null;
            if (end is not null && !reader.IsDBNull(2) && reader.GetInt64(2) == end)
                return new TimelineScan(places, null, scanned, end);
            return new TimelineScan(places, places.Count == limit || scanned == scan ? end : null, scanned);
        }
        throw new InvalidDataException("An aggregate without a row.");
    }

    /// <summary>
    /// The events that decide what a user may see of these rooms, and the user's memberships of them. By the indexes events_visibility and
    /// events_memberships_in_room; of very many in a room, the newest.
    /// </summary>
    public async Task<(IReadOnlyList<SightRow> Events, IReadOnlyList<SightMembership> Memberships)> ReadSights(
        long[] rooms, string userId, int most, CancellationToken ct)
    {
        await using var batch = db.CreateBatch();
        batch.Add(
            """
            SELECT e.room_nid, e.type = 'm.room.member', e.position, e.json FROM unnest($1) AS r (nid) CROSS JOIN LATERAL (
                (SELECT room_nid, type, position, json FROM events
                WHERE room_nid = r.nid AND type = 'm.room.history_visibility' AND state_key = '' AND position IS NOT NULL
                ORDER BY position DESC LIMIT $3)
                UNION ALL
                (SELECT room_nid, type, position, json FROM events
                WHERE room_nid = r.nid AND type = 'm.room.member' AND state_key = $2 AND position IS NOT NULL
                ORDER BY position DESC LIMIT $3)) e
            """, rooms, userId, most);
        batch.Add("SELECT room_nid, membership, position, forgotten FROM memberships WHERE room_nid = ANY($1) AND user_id = $2", rooms, userId);
        var (events, memberships) = (new List<SightRow>(), new List<SightMembership>());
        await using var reader = await batch.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            events.Add(new SightRow(reader.GetInt64(0), reader.GetBoolean(1), reader.GetInt64(2), reader.GetFieldValue<byte[]>(3)));
        await reader.NextResultAsync(ct);
        while (await reader.ReadAsync(ct))
            memberships.Add(new SightMembership(reader.GetInt64(0), reader.GetString(1), reader.GetInt64(2), reader.GetBoolean(3)));
        return (events, memberships);
    }

    /// <summary>The event nearest to a time: at it or after it, or at it or before it. By the index events_by_time.</summary>
    public async Task<IReadOnlyList<TimelinePlace>> ListNear(long room, long ts, bool forwards, int offset, int limit, CancellationToken ct) =>
        await db.List<TimelinePlace>(
            $"""
            SELECT room_nid, event_nid, position FROM events
            WHERE room_nid = @room AND position IS NOT NULL AND origin_server_ts {(forwards ? ">=" : "<=")} @ts
            ORDER BY origin_server_ts {(forwards ? "" : "DESC")}, position {(forwards ? "" : "DESC")} OFFSET @offset LIMIT @limit
            """, new { room, ts, offset, limit }, ct);

    // The first one on the way down. It is looked for once, not for each row.
    const string Gap = "(SELECT max(above) FROM timeline_gaps WHERE room_nid = $1 AND above <= ($3::bigint[])[1])";

    static bool StopsAtGap(TimelineStretches range) => !range.Forwards && !range.AcrossGaps;

    // The stretches come in the order of reading and are walked one after the other, so the first rows are those wanted.
    static string Walk(TimelineStretches range, string columns) =>
        $"""
        unnest($2::bigint[], $3::bigint[]) AS r (after, up_to) CROSS JOIN LATERAL (
            SELECT {columns} FROM events
            WHERE room_nid = $1 AND position > r.after AND position <= r.up_to
                {(StopsAtGap(range) ? $"AND position >= coalesce({Gap}, r.after)" : "")}
            ORDER BY position {(range.Forwards ? "" : "DESC ")}LIMIT $4) e
        """;

    static void Bind(NpgsqlCommand command, TimelineStretches range, int limit)
    {
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = range.RoomNid });
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = range.After });
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = range.UpTo });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
    }

    static string Condition(EventsWanted wanted)
    {
        var sql = new StringBuilder("true");
        var parameter = 6;
        if (wanted.Types is not null)
            sql.Append($" AND s.type LIKE ANY(${parameter++})");
        if (wanted.NotTypes.Length > 0)
            sql.Append($" AND NOT s.type LIKE ANY(${parameter++})");
        if (wanted.Senders is not null)
            sql.Append($" AND s.sender = ANY(${parameter++})");
        if (wanted.NotSenders.Length > 0)
            sql.Append($" AND s.sender <> ALL(${parameter++})");
        if (wanted.HasUrl)
            sql.Append(" AND position('\"url\":'::bytea IN s.json) > 0");
        if (wanted.RelatedTypes is not null || wanted.RelatedSenders is not null)
        {
            sql.Append(" AND EXISTS (SELECT FROM event_relations x WHERE x.room_nid = $1 AND x.target = s.event_id");
            if (wanted.RelatedTypes is not null)
                sql.Append($" AND x.rel_type = ANY(${parameter++})");
            if (wanted.RelatedSenders is not null)
                sql.Append($" AND x.sender = ANY(${parameter})");
            sql.Append(')');
        }
        return sql.ToString();
    }

    static IEnumerable<string[]> Lists(EventsWanted wanted)
    {
        if (wanted.Types is { } types)
            yield return types;
        if (wanted.NotTypes.Length > 0)
            yield return wanted.NotTypes;
        if (wanted.Senders is { } senders)
            yield return senders;
        if (wanted.NotSenders.Length > 0)
            yield return wanted.NotSenders;
        if (wanted.RelatedTypes is { } related)
            yield return related;
        if (wanted.RelatedSenders is { } by)
            yield return by;
    }
}
