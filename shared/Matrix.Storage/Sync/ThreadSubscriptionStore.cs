using Npgsql;

namespace Matrix.Storage.Sync;

/// <summary>What a user wanted last of a thread.</summary>
/// <param name="ThreadId">The root's event id.</param>
/// <param name="Subscribed">False: the user left it.</param>
/// <param name="Automatic">A client subscribed because of an event, not the user.</param>
/// <param name="Position">Of this change.</param>
public sealed record ThreadSubscription(string RoomId, string ThreadId, bool Subscribed, bool Automatic, long Position);

/// <summary>Reads subscriptions to threads. They are written through the log.</summary>
public sealed class ThreadSubscriptionStore(NpgsqlDataSource db)
{
    /// <summary>Null: there never was one. By primary key.</summary>
    public Task<ThreadSubscription?> Find(string userId, long roomNid, string threadId, CancellationToken ct) => db.FindOne<ThreadSubscription>(
        """
        SELECT '' AS room_id, thread_id, subscribed, automatic, position FROM thread_subscriptions
        WHERE user_id = @userId AND room_nid = @roomNid AND thread_id = @threadId
        """, new { userId, roomNid, threadId }, ct);

    /// <summary>Who is subscribed to a thread. By the index thread_subscriptions_subscribers.</summary>
    public Task<IReadOnlyList<string>> ListSubscribers(long roomNid, string threadId, CancellationToken ct) => db.List<string>(
        "SELECT user_id FROM thread_subscriptions WHERE room_nid = @roomNid AND thread_id = @threadId AND subscribed", new { roomNid, threadId }, ct);

    /// <summary>What changed for a user in (after, upTo], the newest first. By the index thread_subscriptions_changes.</summary>
    public Task<IReadOnlyList<ThreadSubscription>> ListChanges(string userId, long after, long upTo, int limit, CancellationToken ct) => db.List<ThreadSubscription>(
        """
        SELECT r.room_id, s.thread_id, s.subscribed, s.automatic, s.position FROM thread_subscriptions s JOIN rooms r USING (room_nid)
        WHERE s.user_id = @userId AND s.position > @after AND s.position <= @upTo
        ORDER BY s.position DESC LIMIT @limit
        """, new { userId, after, upTo, limit }, ct);
}
