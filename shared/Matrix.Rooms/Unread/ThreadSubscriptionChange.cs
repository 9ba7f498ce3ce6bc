using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Storage;
using Npgsql;

namespace Matrix.Rooms.Unread;

/// <summary>A user is subscribed to a thread, or leaves it.</summary>
/// <param name="causedAt">The position of the event because of which a client did it by itself; null: the user did.</param>
public sealed class ThreadSubscriptionChange(UserId userId, long roomNid, EventId threadId, bool subscribed, long? causedAt) : LogChange
{
    public override IReadOnlyList<LogEntryDraft> Entries { get; } =
        [new(LogKind.ThreadSubscription, roomNid, userId.ToString(), Note: threadId.ToString())];

    public override bool ReadsRows => true;

    /// <summary>The user has left the thread after the event: nothing was changed. The entry in the log has nothing to show.</summary>
    public bool IsRefused { get; private set; }

    // What stands there is read and written under the log's lock, so that of two devices that do the contrary at once the later one is refused.
    public override void AddCommands(NpgsqlBatch batch, Func<int, int> back) => batch.Add(
        """
        WITH changed AS (
            INSERT INTO thread_subscriptions AS s (user_id, room_nid, thread_id, subscribed, automatic, position)
            VALUES ($1, $2, $3, $4, $5, log_position($6))
            ON CONFLICT (user_id, room_nid, thread_id) DO UPDATE SET
                subscribed = excluded.subscribed, automatic = excluded.automatic AND (s.automatic OR NOT s.subscribed), position = excluded.position
            WHERE NOT $5 OR s.subscribed OR s.position < $7
            RETURNING 1
        )
        SELECT count(*) FROM changed
        """, userId, roomNid, threadId.ToString(), subscribed, causedAt is not null, back(0), causedAt ?? 0L);

    public override async Task ReadRows(NpgsqlDataReader reader, CancellationToken ct) =>
        IsRefused = await reader.ReadAsync(ct) && reader.GetInt64(0) == 0;
}
