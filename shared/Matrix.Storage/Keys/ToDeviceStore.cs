using Npgsql;

namespace Matrix.Storage.Keys;

/// <summary>A message to a device.</summary>
/// <param name="Message">As clients get it: a JSON object of type, sender and content.</param>
public sealed record ToDeviceMessage(long Position, byte[] Message);

/// <summary>Messages between devices. They are written through the log, and deleted once their device has them.</summary>
public sealed class ToDeviceStore(NpgsqlDataSource db)
{
    /// <summary>The oldest messages to a device in (after, upTo], in order, by primary key.</summary>
    public Task<IReadOnlyList<ToDeviceMessage>> List(string userId, string deviceId, long after, long upTo, int limit, CancellationToken ct) =>
        db.List<ToDeviceMessage>(
        """
        SELECT position, message FROM to_device_messages
        WHERE user_id = @userId AND device_id = @deviceId AND position > @after AND position <= @upTo
        ORDER BY position LIMIT @limit
        """, new { userId, deviceId, after, upTo, limit }, ct);

    /// <summary>Deletes, for each device, the messages up to its position.</summary>
    public Task<int> Delete(string[] users, string[] devices, long[] upTo, CancellationToken ct) => db.Execute(
        """
        DELETE FROM to_device_messages m USING unnest(@users, @devices, @upTo) AS a (user_id, device_id, up_to)
        WHERE m.user_id = a.user_id AND m.device_id = a.device_id AND m.position <= a.up_to
        """, new { users, devices, upTo }, ct);

    /// <summary>Forgets transactions that no client repeats any more. By the index to_device_transactions_age.</summary>
    public Task<int> DeleteTransactions(TimeSpan olderThan, CancellationToken ct) => db.Execute(
        "DELETE FROM to_device_transactions WHERE created_at < now() - @olderThan", new { olderThan }, ct);

    /// <summary>Fails when the device has carried out this transaction before.</summary>
    public static void AddTransaction(NpgsqlBatch batch, string userId, string deviceId, string eventType, string txnId) => batch.Add(
        "INSERT INTO to_device_transactions (user_id, device_id, event_type, txn_id) VALUES ($1, $2, $3, $4)", userId, deviceId, eventType, txnId);

    /// <summary>Messages to those of the devices that exist, all at one position.</summary>
    public static void AddMessages(NpgsqlBatch batch, string[] users, string[] devices, byte[][] messages, int back) => batch.Add(
        """
        INSERT INTO to_device_messages (user_id, device_id, position, message)
        SELECT d.user_id, d.device_id, (SELECT log_position($4)), m.message
        FROM unnest($1::text[], $2::text[], $3::bytea[]) AS m (user_id, device_id, message)
        JOIN devices d ON d.user_id = m.user_id AND d.device_id = m.device_id
        ON CONFLICT DO NOTHING
        """, users, devices, messages, back);

    /// <summary>Messages to all devices of users.</summary>
    public static void AddMessagesToAll(NpgsqlBatch batch, string[] users, byte[][] messages, int back) => batch.Add(
        """
        INSERT INTO to_device_messages (user_id, device_id, position, message)
        SELECT d.user_id, d.device_id, (SELECT log_position($3)), m.message
        FROM unnest($1::text[], $2::bytea[]) AS m (user_id, message) JOIN devices d ON d.user_id = m.user_id
        ON CONFLICT DO NOTHING
        """, users, messages, back);
}
