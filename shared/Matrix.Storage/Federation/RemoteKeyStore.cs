using Npgsql;

namespace Matrix.Storage.Federation;

/// <summary>What is known of a remote user's keys.</summary>
/// <param name="Keys">JSON: device_keys by id, master_key, self_signing_key; null: they have to be asked for.</param>
/// <param name="Generation">With which an answer is kept, unless it has changed by then.</param>
/// <param name="LogPosition">Of the log before it is asked for.</param>
public sealed record RemoteUserKeys(string UserId, byte[]? Keys, long Generation, long LogPosition);

/// <summary>The keys of other servers' users, as these told them.</summary>
public sealed class RemoteKeyStore(NpgsqlDataSource db)
{
    /// <summary>
    /// A row for each of the users. Their keys are here if their server would have told of every change since they were asked for: while they have shared a
    /// room with the one who asks now, ever since. By the primary keys of remote_device_lists and memberships, and memberships_of_user.
    /// </summary>
    public Task<IReadOnlyList<RemoteUserKeys>> List(string[] users, string asker, CancellationToken ct) => db.List<RemoteUserKeys>(
        """
        SELECT u.user_id, CASE WHEN EXISTS (
                SELECT FROM memberships m
                JOIN memberships a ON a.room_nid = m.room_nid AND a.user_id = @asker AND a.membership = 'join' AND a.position <= k.position
                WHERE m.user_id = u.user_id AND m.membership = 'join' AND m.position <= k.position)
            THEN k.keys END AS keys,
            coalesce(k.generation, -1) AS generation, (SELECT position FROM log_head) AS log_position
        FROM unnest(@users) AS u (user_id) LEFT JOIN remote_device_lists k USING (user_id)
        """, new { users, asker }, ct);

    /// <summary>Keeps what a server has answered about users in a room here, unless something changed in the meantime.</summary>
    public Task<int> Store(string[] users, byte[][] keys, long[] generations, long position, CancellationToken ct) => db.Execute(
        """
        INSERT INTO remote_device_lists AS old (user_id, keys, position, generation)
        SELECT n.user_id, n.keys, @position, 0 FROM unnest(@users, @keys, @generations) AS n (user_id, keys, generation)
        WHERE EXISTS (SELECT FROM memberships m WHERE m.user_id = n.user_id AND m.membership = 'join')
        ORDER BY n.user_id
        ON CONFLICT (user_id) DO UPDATE SET keys = excluded.keys, position = excluded.position
        WHERE old.generation = (SELECT n.generation FROM unnest(@users, @generations) AS n (user_id, generation) WHERE n.user_id = old.user_id)
        """, new { users, keys, generations, position }, ct);

    /// <summary>The users' keys have changed: they have to be asked for anew.</summary>
    public static void AddChanged(NpgsqlBatch batch, string[] users, int back) => batch.Add(
        """
        INSERT INTO remote_device_lists AS old (user_id, position, generation) SELECT user_id, log_position($2), 1 FROM unnest($1::text[]) AS u (user_id) ORDER BY user_id
        ON CONFLICT (user_id) DO UPDATE SET keys = NULL, generation = old.generation + 1
        """, users, back);
}
