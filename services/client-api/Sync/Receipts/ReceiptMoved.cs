using Matrix.Replication;
using Matrix.Storage;
using Matrix.Storage.Sync;
using Npgsql;

namespace Matrix.ClientApi.Sync.Receipts;

/// <summary>A user has read on.</summary>
/// <param name="receipt">Its position is not looked at.</param>
sealed class ReceiptMoved(Receipt receipt, long eventPosition) : LogChange
{
    public override IReadOnlyList<LogEntryDraft> Entries { get; } =
        [new(LogKind.Receipt, receipt.RoomNid, receipt.UserId, Key: receipt.ReceiptType)];

    // Of two that race the one further on stays. Its entry in the log then has nothing to show.
    public override void AddCommands(NpgsqlBatch batch, Func<int, int> back) => batch.Add(
        """
        INSERT INTO receipts (room_nid, user_id, receipt_type, thread_id, event_id, event_position, ts, position)
        VALUES ($1, $2, $3, $4, $5, $6, $7, log_position($8))
        ON CONFLICT (room_nid, user_id, receipt_type, thread_id) DO UPDATE SET event_id = excluded.event_id,
            event_position = excluded.event_position, ts = excluded.ts, position = excluded.position
        WHERE receipts.event_position < excluded.event_position
        """,
        receipt.RoomNid, receipt.UserId, receipt.ReceiptType, receipt.ThreadId, receipt.EventId, eventPosition, receipt.Ts, back(0));
}
