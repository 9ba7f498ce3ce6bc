using Matrix.Storage;
using Npgsql;

namespace Matrix.Rooms.Unread;

/// <summary>Somebody of this server comes into the room or goes out of it.</summary>
/// <param name="Index">Of the event in its chain.</param>
/// <param name="Level">The user's in the room.</param>
readonly record struct UserMove(string UserId, int Index, bool Joins, NotifyLevel Level);

/// <summary>
/// What a chain of events changes in the tables of what is unread. It touches rows of the room and of users of this server in it, all of them under
/// the log's lock; for an ordinary message one row is added and one, its sender's, is moved, whoever else is in the room.
/// </summary>
sealed class UnreadChanges(long roomNid, EventNote?[] notes, List<UserMove> moves)
{
    /// <summary>What the log says of the event.</summary>
    public string? NoteOf(int index) => notes[index]?.Write();

    /// <param name="lastBack">How many entries of the batch come after the chain's last one.</param>
    public void AddCommands(NpgsqlBatch batch, int lastBack)
    {
        if (notes is [{ Personal.Count: 0, Ordinary: not Notice.None, Reads: true } message])
            AddMessage(batch, message, lastBack);
        else if (notes.Any(note => note is not null))
        {
            AddMarks(batch, lastBack);
            AddReads(batch, lastBack);
        }
        AddThreads(batch, lastBack);
        AddMoves(batch, lastBack);
    }

    /// <summary>As it mostly is.</summary>
    void AddMessage(NpgsqlBatch batch, EventNote note, int back) => batch.Add(
        """
        WITH mark AS (
            INSERT INTO unread_marks (
                room_nid, user_id, thread_id, position, notified, highlighted, ordinarily_notified, ordinarily_highlighted)
            SELECT $1, '', $2, log_position($3), coalesce(m.notified, 0) + 1, coalesce(m.highlighted, 0) + $4, 0, 0
            FROM (VALUES (1)) one LEFT JOIN LATERAL (
                SELECT notified, highlighted FROM unread_marks WHERE room_nid = $1 AND user_id = '' AND thread_id = $2 ORDER BY position DESC LIMIT 1
            ) m ON true
        )
        INSERT INTO room_reads (user_id, room_nid, thread_id, position) VALUES ($5, $1, $2, log_position($3))
        ON CONFLICT (user_id, room_nid, thread_id) DO UPDATE SET position = excluded.position
        """, roomNid, note.ThreadId, back, note.Ordinary == Notice.Highlight ? 1 : 0, note.Sender);

    void AddMarks(NpgsqlBatch batch, int lastBack)
    {
        var marks = new List<Mark>();
        for (var i = 0; i < notes.Length; i++)
        {
            if (notes[i] is not { } note)
                continue;
            if (note.Ordinary != Notice.None)
                marks.Add(new Mark("", note.ThreadId, Back(i, lastBack), note.Ordinary, Notice.None));
            foreach (var (user, notice) in note.Personal)
                marks.Add(new Mark(user, note.ThreadId, Back(i, lastBack), notice, note.Ordinary));
        }
        if (marks.Count == 0)
            return;
        batch.Add(
            """
            INSERT INTO unread_marks (room_nid, user_id, thread_id, position, notified, highlighted, ordinarily_notified, ordinarily_highlighted)
            SELECT $1, n.user_id, n.thread_id, log_position(n.back), coalesce(m.notified, 0) + sum(n.notified) OVER so_far,
                coalesce(m.highlighted, 0) + sum(n.highlighted) OVER so_far, coalesce(m.ordinarily_notified, 0) + sum(n.ordinarily_notified) OVER so_far,
                coalesce(m.ordinarily_highlighted, 0) + sum(n.ordinarily_highlighted) OVER so_far
            FROM unnest($2::text[], $3::text[], $4::int[], $5::int[], $6::int[], $7::int[], $8::int[])
                AS n (user_id, thread_id, back, notified, highlighted, ordinarily_notified, ordinarily_highlighted)
            LEFT JOIN LATERAL (
                SELECT * FROM unread_marks u WHERE u.room_nid = $1 AND u.user_id = n.user_id AND u.thread_id = n.thread_id
                ORDER BY u.position DESC LIMIT 1) m ON true
            WINDOW so_far AS (PARTITION BY n.user_id, n.thread_id ORDER BY n.back DESC)
            """,
            roomNid, marks.Select(m => m.UserId).ToArray(), marks.Select(m => m.ThreadId).ToArray(), marks.Select(m => m.Back).ToArray(),
            marks.Select(m => Notified(m.Notice)).ToArray(), marks.Select(m => Highlighted(m.Notice)).ToArray(),
            marks.Select(m => Notified(m.Ordinary)).ToArray(), marks.Select(m => Highlighted(m.Ordinary)).ToArray());
    }

    void AddReads(NpgsqlBatch batch, int lastBack)
    {
        for (var i = 0; i < notes.Length; i++)
        {
            if (notes[i] is { Reads: true } note)
            {
                batch.Add(
                    """
                    INSERT INTO room_reads (user_id, room_nid, thread_id, position) VALUES ($1, $2, $3, log_position($4))
                    ON CONFLICT (user_id, room_nid, thread_id) DO UPDATE SET position = excluded.position
                    """, note.Sender, roomNid, note.ThreadId, Back(i, lastBack));
            }
        }
    }

    void AddThreads(NpgsqlBatch batch, int lastBack)
    {
        for (var i = 0; i < notes.Length; i++)
        {
            if (notes[i] is { } note && note.ThreadId != EventNote.Main && (note.Ordinary != Notice.None || note.Personal.Count > 0))
            {
                batch.Add(
                    """
                    INSERT INTO unread_threads (room_nid, thread_id, position) VALUES ($1, $2, log_position($3))
                    ON CONFLICT (room_nid, thread_id) DO UPDATE SET position = excluded.position
                    """, roomNid, note.ThreadId, Back(i, lastBack));
            }
        }
    }

    void AddMoves(NpgsqlBatch batch, int lastBack)
    {
        if (moves.Count == 0)
            return;
        // who comes begins with nothing unread, who goes leaves nothing behind
        var users = moves.Select(m => m.UserId).ToArray();
        batch.Add("DELETE FROM room_reads WHERE user_id = ANY($1) AND room_nid = $2 AND thread_id <> ''", users, roomNid);
        batch.Add("DELETE FROM notify_levels WHERE user_id = ANY($1) AND room_nid = $2", users, roomNid);
        batch.Add("DELETE FROM unread_marks WHERE user_id = ANY($1) AND room_nid = $2", users, roomNid);
        if (moves.Where(m => !m.Joins).Select(m => m.UserId).ToArray() is { Length: > 0 } gone)
            batch.Add("DELETE FROM room_reads WHERE user_id = ANY($1) AND room_nid = $2", gone, roomNid);
        if (moves.Where(m => m.Joins).ToArray() is { Length: > 0 } come)
        {
            batch.Add(
                """
                INSERT INTO room_reads (user_id, room_nid, thread_id, position)
                SELECT user_id, $2, '', log_position(back) FROM unnest($1::text[], $3::int[]) AS m (user_id, back)
                ON CONFLICT (user_id, room_nid, thread_id) DO UPDATE SET position = excluded.position
                """, come.Select(m => m.UserId).ToArray(), roomNid, come.Select(m => Back(m.Index, lastBack)).ToArray());
        }
        foreach (var move in moves.Where(m => m.Joins && m.Level != NotifyLevel.Ordinary))
        {
            batch.Add("INSERT INTO notify_levels (user_id, room_nid, position, ordinary, threads) VALUES ($1, $2, log_position($3), $4, $5)",
                move.UserId, roomNid, Back(move.Index, lastBack), move.Level.Main, move.Level.Threads);
        }
    }

    int Back(int index, int lastBack) => lastBack + notes.Length - 1 - index;

    static int Notified(Notice notice) => notice == Notice.None ? 0 : 1;

    static int Highlighted(Notice notice) => notice == Notice.Highlight ? 1 : 0;

    readonly record struct Mark(string UserId, string ThreadId, int Back, Notice Notice, Notice Ordinary);
}
