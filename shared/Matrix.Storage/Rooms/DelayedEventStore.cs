using Matrix.Protocol;
using Npgsql;

namespace Matrix.Storage.Rooms;

/// <summary>An event to be sent later. Times are UTC.</summary>
/// <param name="StateKey">Null: no state event.</param>
/// <param name="FinalisedAt">When it was sent, cancelled, or could not be sent.</param>
/// <param name="Error">The error as JSON, where it could not be sent.</param>
public sealed record DelayedEvent(
    string DelayId, UserId UserId, RoomId RoomId, string Type, string? StateKey, string Content, long DelayMs, DateTimeOffset ScheduledAt, DateTimeOffset DueAt,
    DateTimeOffset? ClaimedAt, DateTimeOffset? FinalisedAt, string? EventId, string? Error);

/// <summary>What a client asks to be sent later.</summary>
/// <param name="TxnId">Null: the request has none.</param>
public sealed record NewDelayedEvent(
    string DelayId, UserId UserId, DeviceId DeviceId, string? TxnId, RoomId RoomId, string Type, string? StateKey, string Content, TimeSpan Delay);

/// <summary>
/// The delayed events. Whoever sends one claims it first: from then on it cannot be cancelled, and whoever finds it claimed and not finalised sends it
/// again under the same transaction id, so that it is sent once.
/// </summary>
public sealed class DelayedEventStore(NpgsqlDataSource db)
{
    const string Columns =
        "delay_id, user_id, room_id, type, state_key, content, delay_ms, scheduled_at, due_at, claimed_at, finalised_at, event_id, error";

    /// <summary>
    /// Schedules an event, unless the user has <paramref name="most"/> already: then null. A repeated transaction gives the id of the first time. The lock on the
    /// user lets no two requests take the last place.
    /// </summary>
    public async Task<string?> Insert(NewDelayedEvent e, int most, CancellationToken ct)
    {
        await using var tx = await db.BeginTransaction(ct);
        await tx.FindOne<int?>("SELECT 1 FROM users WHERE user_id = @UserId FOR NO KEY UPDATE", new { e.UserId }, ct);
        var known = await tx.FindOne<string>(
            """
            SELECT delay_id FROM delayed_events
            WHERE user_id = @UserId AND device_id = @DeviceId AND room_id = @RoomId AND txn_id = @TxnId
            """, new { e.UserId, e.DeviceId, e.RoomId, e.TxnId }, ct);
        if (known is not null)
            return known;
        var inserted = await tx.Execute(
            """
            INSERT INTO delayed_events (delay_id, user_id, device_id, txn_id, room_id, type, state_key, content, delay_ms, scheduled_at, due_at)
            SELECT @DelayId, @UserId, @DeviceId, @TxnId, @RoomId, @Type, @StateKey, @Content, @ms, now(), now() + @Delay
            WHERE (SELECT count(*) FROM delayed_events WHERE user_id = @UserId AND finalised_at IS NULL) < @most
            """, new { e.DelayId, e.UserId, e.DeviceId, e.TxnId, e.RoomId, e.Type, e.StateKey, e.Content, e.Delay, ms = (long)e.Delay.TotalMilliseconds, most }, ct);
        await tx.CommitAsync(ct);
        return inserted == 1 ? e.DelayId : null;
    }

    /// <summary>How long until the user's next event is sent; null when there is none.</summary>
    public Task<TimeSpan?> FindNextOf(UserId userId, CancellationToken ct) => db.FindOne<TimeSpan?>(
        "SELECT min(due_at) - now() FROM delayed_events WHERE user_id = @userId AND finalised_at IS NULL", new { userId }, ct);

    public Task<DelayedEvent?> Find(string delayId, CancellationToken ct) =>
        db.FindOne<DelayedEvent>($"SELECT {Columns} FROM delayed_events WHERE delay_id = @delayId", new { delayId }, ct);

    /// <summary>What the user has scheduled, the next first.</summary>
    public Task<IReadOnlyList<DelayedEvent>> ListScheduled(UserId userId, CancellationToken ct) => db.List<DelayedEvent>(
        $"SELECT {Columns} FROM delayed_events WHERE user_id = @userId AND finalised_at IS NULL ORDER BY due_at, delay_id", new { userId }, ct);

    /// <summary>Claims what is due, and what a process claimed and did not finish, the oldest first.</summary>
    /// <param name="abandoned">After this long a claim is nobody's.</param>
    public Task<IReadOnlyList<DelayedEvent>> ClaimDue(int limit, TimeSpan abandoned, CancellationToken ct) => db.List<DelayedEvent>(
        $"""
        WITH due AS (
            SELECT delay_id FROM delayed_events
            WHERE finalised_at IS NULL AND due_at <= now() AND (claimed_at IS NULL OR claimed_at < now() - @abandoned)
            ORDER BY due_at LIMIT @limit FOR UPDATE SKIP LOCKED),
        claimed AS (UPDATE delayed_events SET claimed_at = now() WHERE delay_id IN (SELECT delay_id FROM due) RETURNING {Columns})
        SELECT {Columns} FROM claimed ORDER BY due_at
        """, new { limit, abandoned }, ct);

    /// <summary>How long until there is something to claim, by delayed_events_due; null when nothing is scheduled.</summary>
    /// <inheritdoc cref="ClaimDue"/>
    public Task<TimeSpan?> FindNext(TimeSpan abandoned, CancellationToken ct) => db.FindOne<TimeSpan?>(
        """
        SELECT least((SELECT min(due_at) FROM delayed_events WHERE finalised_at IS NULL AND claimed_at IS NULL),
                     (SELECT min(claimed_at) + @abandoned FROM delayed_events WHERE finalised_at IS NULL AND due_at <= now())) - now()
        """, new { abandoned }, ct);

    /// <summary>Claims one that is still scheduled; false when another has, or it is over.</summary>
    public async Task<bool> Claim(string delayId, CancellationToken ct) => await db.Execute(
        "UPDATE delayed_events SET claimed_at = now() WHERE delay_id = @delayId AND finalised_at IS NULL AND claimed_at IS NULL", new { delayId }, ct) == 1;

    /// <summary>It could not be sent now: it waits on for its time.</summary>
    public Task<int> Release(string delayId, CancellationToken ct) =>
        db.Execute("UPDATE delayed_events SET claimed_at = NULL WHERE delay_id = @delayId AND finalised_at IS NULL", new { delayId }, ct);

    /// <summary>It was sent, or (<paramref name="error"/>) never will be.</summary>
    public Task<int> Finalise(string delayId, string? eventId, string? error, CancellationToken ct) => db.Execute(
        "UPDATE delayed_events SET finalised_at = now(), event_id = @eventId, error = @error WHERE delay_id = @delayId AND finalised_at IS NULL",
        new { delayId, eventId, error }, ct);

    /// <summary>Takes it back; false when it is being sent, or it is over.</summary>
    public async Task<bool> Cancel(string delayId, CancellationToken ct) => await db.Execute(
        "UPDATE delayed_events SET finalised_at = now() WHERE delay_id = @delayId AND finalised_at IS NULL AND claimed_at IS NULL", new { delayId }, ct) == 1;

    /// <summary>Begins its delay anew; false when it is being sent, or it is over.</summary>
    public async Task<bool> Restart(string delayId, CancellationToken ct) => await db.Execute(
        """
        UPDATE delayed_events SET scheduled_at = now(), due_at = now() + delay_ms * interval '1 millisecond'
        WHERE delay_id = @delayId AND finalised_at IS NULL AND claimed_at IS NULL
        """, new { delayId }, ct) == 1;

    /// <summary>Forgets what has been over for so long, by delayed_events_finalised.</summary>
    public Task<int> DeleteFinalised(TimeSpan age, int limit, CancellationToken ct) => db.Execute(
        """
        DELETE FROM delayed_events WHERE delay_id IN (
            SELECT delay_id FROM delayed_events WHERE finalised_at < now() - @age ORDER BY finalised_at LIMIT @limit)
        """, new { age, limit }, ct);
}
