using Matrix.Replication;
using Matrix.Storage;
using Matrix.Storage.Sync;
using Npgsql;

namespace Matrix.Rooms.Unread;

/// <summary>A user has read on.</summary>
/// <param name="receipt">Its position is not looked at.</param>
public sealed class ReceiptMoved(Receipt receipt, long eventPosition) : LogChange
{
    public override IReadOnlyList<LogEntryDraft> Entries { get; } =
    [
        new(LogKind.Receipt, receipt.RoomNid, receipt.UserId, Key: receipt.ReceiptType, Note: new ReceiptNote(receipt.ThreadId, eventPosition).Write()),
    ];

    // Of two that race the one further on stays; its entry in the log then has nothing to show. Only users of this server who are in the room have
    // read marks to move.
    public override void AddCommands(NpgsqlBatch batch, Func<int, int> back) => batch.Add(
        Upsert + (receipt.ThreadId.Length > 0
            ? """
            INSERT INTO room_reads (user_id, room_nid, thread_id, position)
            SELECT $2, $1, $4, $6 FROM room_reads WHERE user_id = $2 AND room_nid = $1 AND thread_id = ''
            ON CONFLICT (user_id, room_nid, thread_id) DO UPDATE SET position = excluded.position WHERE room_reads.position < excluded.position
            """
            : """
            , passed AS (
                DELETE FROM room_reads WHERE user_id = $2 AND room_nid = $1 AND thread_id <> '' AND position <= $6
            )
            UPDATE room_reads SET position = $6 WHERE user_id = $2 AND room_nid = $1 AND thread_id = '' AND position < $6
            """),
        receipt.RoomNid, receipt.UserId, receipt.ReceiptType, receipt.ThreadId, receipt.EventId, eventPosition, receipt.Ts, back(0));

    const string Upsert =
        """
        WITH moved AS (
            INSERT INTO receipts (room_nid, user_id, receipt_type, thread_id, event_id, event_position, ts, position)
            VALUES ($1, $2, $3, $4, $5, $6, $7, log_position($8))
            ON CONFLICT (room_nid, user_id, receipt_type, thread_id) DO UPDATE SET event_id = excluded.event_id,
                event_position = excluded.event_position, ts = excluded.ts, position = excluded.position
            WHERE receipts.event_position < excluded.event_position
        )

        """;
}
