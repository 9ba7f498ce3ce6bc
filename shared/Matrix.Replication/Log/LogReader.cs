using Matrix.Storage;
using Npgsql;

namespace Matrix.Replication;

/// <summary>Reads entries from Postgres. Nothing is left out between those that it returns: positions become visible in order.</summary>
public sealed class LogReader(NpgsqlDataSource db)
{
    const string Columns = "position, kind, room_nid, user_id, device_id, event_nid, key, note, related, skipped";

    /// <summary>Up to <paramref name="limit"/> entries after a position, in order (primary key).</summary>
    public async Task<IReadOnlyList<LogEntry>> ReadAfter(LogPosition position, int limit, CancellationToken ct)
    {
        await using var command = db.CreateCommand($"SELECT {Columns} FROM log WHERE position > $1 ORDER BY position LIMIT $2");
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = position.Value });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        return await Read(command, ct);
    }

    /// <summary>Where the log is, and its newest entries in order.</summary>
    public async Task<(LogPosition Position, IReadOnlyList<LogEntry> Newest)> ReadNewest(int limit, CancellationToken ct)
    {
        var position = await db.GetOne<long>("SELECT position FROM log_head", null, ct);
        return (new LogPosition(position), await ReadUpTo(position, limit, ct));
    }

    async Task<IReadOnlyList<LogEntry>> ReadUpTo(long position, int limit, CancellationToken ct)
    {
        await using var command = db.CreateCommand($"SELECT {Columns} FROM log WHERE position > $1 AND position <= $2 ORDER BY position");
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = position - limit });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = position });
        return await Read(command, ct);
    }

    static async Task<IReadOnlyList<LogEntry>> Read(NpgsqlCommand command, CancellationToken ct)
    {
        var entries = new List<LogEntry>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            entries.Add(new LogEntry(
                new LogPosition(reader.GetInt64(0)), (LogKind)reader.GetInt16(1),
                reader.IsDBNull(2) ? null : reader.GetInt64(2), reader.IsDBNull(3) ? null : reader.GetString(3),
                reader.IsDBNull(4) ? null : reader.GetString(4), reader.IsDBNull(5) ? null : reader.GetInt64(5),
                reader.IsDBNull(6) ? null : reader.GetString(6), reader.IsDBNull(7) ? null : reader.GetString(7),
                reader.IsDBNull(8) ? null : reader.GetString(8), reader.GetInt64(9)));
        }
        return entries;
    }
}
