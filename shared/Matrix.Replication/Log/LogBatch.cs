using Matrix.Storage;
using Npgsql;

namespace Matrix.Replication;

/// <summary>
/// The commands that commit some changes in one round trip: those of the log, then those of each change. The driver does not say which command an answer belongs
/// to, or which one failed; that is told apart here.
/// </summary>
sealed class LogBatch(NpgsqlBatch batch, IReadOnlyList<PendingChange> changes, int[] lastCommands) : IAsyncDisposable
{
    /// <param name="number">Of this batch, among those of its writer.</param>
    /// <exception cref="BatchException">A change could not say what it writes.</exception>
    public static LogBatch Build(NpgsqlConnection connection, IReadOnlyList<PendingChange> changes, Guid writer, long number, TimeSpan timeout)
    {
        var batch = connection.CreateBatch();
        batch.Timeout = (int)timeout.TotalSeconds;
        var entries = changes.Sum(change => change.Entries.Count);
        var skipped = changes[0].Change.Skips;
        batch.Add("SELECT log_begin($1, $2, $3, $4)", writer, number, entries, skipped);
        AddEntries(batch, changes, entries, skipped);
        var lastCommands = new int[changes.Count];
        var after = entries;
        for (var i = 0; i < changes.Count; i++)
        {
            var remaining = after;
            try
            {
                changes[i].Change.AddCommands(batch, entry => remaining - 1 - entry);
            }
            catch (Exception e)
            {
                batch.Dispose();
                throw new BatchException(e, i, isFinal: false);
            }
            after -= changes[i].Entries.Count;
            lastCommands[i] = batch.BatchCommands.Count - 1;
        }
        return new(batch, changes, lastCommands);
    }

    /// <summary>Commits, and returns the position of the last entry.</summary>
    public async Task<LogPosition> Execute()
    {
        await using var reader = await batch.ExecuteReaderAsync();
        await reader.ReadAsync();
        var position = new LogPosition(reader.GetInt64(0));
        var wanted = changes.Any(change => change.Change.ReadsRows);
        var (command, change) = (0, 0);
        while (await reader.NextResultAsync()) // an error of a later command is thrown here
        {
            if (!wanted)
                continue;
            command = Answering(command);
            var of = reader.HasRows ? command : command - 1; // one without rows is answered to its end at once
            while (lastCommands[change] < of)
                change++;
            if (changes[change].Change is { ReadsRows: true } reading)
                await reading.ReadRows(reader, CancellationToken.None);
        }
        return position;
    }

    /// <summary>After an error: the change whose command failed; null: it was one of the log's own, or it cannot be said.</summary>
    public int? Culprit
    {
        get
        {
            var command = Answering(0);
            if (command < 2)
                return null; // our own commands
            var change = Array.FindIndex(lastCommands, last => command <= last);
            return change < 0 ? null : change;
        }
    }

    public ValueTask DisposeAsync() => batch.DisposeAsync();

    static void AddEntries(NpgsqlBatch batch, IReadOnlyList<PendingChange> changes, int count, long skipped)
    {
        var (kinds, rooms, users, devices) = (new short[count], new long?[count], new string?[count], new string?[count]);
        var (events, keys, notes, related) = (new long?[count], new string?[count], new string?[count], new string?[count]);
        var i = 0;
        foreach (var draft in changes.SelectMany(change => change.Entries))
        {
            (kinds[i], rooms[i], users[i]) = ((short)draft.Kind, draft.RoomNid, draft.UserId);
            (devices[i], events[i], keys[i], notes[i]) = (draft.DeviceId, draft.EventNid, draft.Key, draft.Note);
            related[i] = draft.Related;
            i++;
        }
        batch.Add("""
            INSERT INTO log (position, kind, room_nid, user_id, device_id, event_nid, key, note, related, skipped)
            SELECT log_position(0) - $1 + n, kind, room_nid, user_id, device_id, event_nid, key, note, related, CASE n WHEN 1 THEN $10 ELSE 0 END
            FROM unnest($2::smallint[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[], $9::text[])
                WITH ORDINALITY AS entry (kind, room_nid, user_id, device_id, event_nid, key, note, related, n)
            """, count, kinds, rooms, users, devices, events, keys, notes, related, skipped);
    }

    // The server answers in order: what it is at is the first command that was not answered to its end.
    int Answering(int from)
    {
        while (from < batch.BatchCommands.Count && batch.BatchCommands[from].StatementType != StatementType.Unknown)
            from++;
        return from;
    }
}
