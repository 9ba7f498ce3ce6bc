using Npgsql;

namespace Matrix.Storage.Keys;

/// <summary>What a device or its user published, as it was uploaded.</summary>
/// <param name="DeviceId">Of identity keys of a device; null for a cross-signing key.</param>
/// <param name="Usage">Of a cross-signing key: master, self_signing or user_signing.</param>
/// <param name="Keys">A JSON object without <c>signatures</c> and <c>unsigned</c>.</param>
/// <param name="Signatures">JSON: by user, by key id.</param>
public sealed record PublishedKeys(string UserId, string? DeviceId, string? Usage, byte[] Keys, string Signatures, string? DisplayName);

/// <summary>Signatures of one user on the master key of another.</summary>
/// <param name="Signatures">JSON: by key id.</param>
public sealed record SignedKey(string Target, string TargetKey, string Signatures);

/// <summary>A one-time or fallback key to be stored.</summary>
/// <param name="Key">JSON: a string or an object.</param>
public sealed record UploadedKey(string Algorithm, string KeyId, byte[] Key);

/// <param name="Fallback">True for the fallback key's algorithms that are unused, with Count 0.</param>
public sealed record KeyCount(string DeviceId, string Algorithm, long Count, bool Fallback);

/// <summary>Reads the public keys of users and devices. They are written through the log.</summary>
public sealed class DeviceKeyStore(NpgsqlDataSource db)
{
    /// <summary>Everything that these users publish, by primary keys.</summary>
    public Task<IReadOnlyList<PublishedKeys>> List(string[] users, CancellationToken ct) => db.List<PublishedKeys>(
        """
        SELECT k.user_id, k.device_id, NULL::text AS usage, k.keys, k.signatures::text, d.display_name
        FROM device_keys k JOIN devices d USING (user_id, device_id) WHERE k.user_id = ANY(@users)
        UNION ALL
        SELECT user_id, NULL, usage, keys, signatures::text, NULL FROM cross_signing_keys WHERE user_id = ANY(@users)
        """, new { users }, ct);

    /// <summary>Everything that a user publishes, and the position at which that last changed.</summary>
    public async Task<(long Position, IReadOnlyList<PublishedKeys> Keys)> ListWithPosition(string userId, CancellationToken ct)
    {
        // the position first: what changes in between is told of again
        var position = await db.FindOne<long?>("SELECT position FROM device_lists WHERE user_id = @userId", new { userId }, ct);
        return (position ?? 0, await List([userId], ct));
    }

    /// <summary>The signatures that a user has put on keys of others.</summary>
    public Task<IReadOnlyList<SignedKey>> ListSignatures(string signer, CancellationToken ct) => db.List<SignedKey>(
        "SELECT target, target_key, signatures::text FROM key_signatures WHERE signer = @signer", new { signer }, ct);

    /// <summary>Those of a device's one-time keys that have one of these ids.</summary>
    public async Task<IReadOnlyList<UploadedKey>> ListOneTimeKeys(string userId, string deviceId, string[] algorithms, string[] keyIds, CancellationToken ct) =>
        await db.List<UploadedKey>(
        """
        SELECT algorithm, key_id, key FROM one_time_keys
        WHERE user_id = @userId AND device_id = @deviceId AND algorithm = ANY(@algorithms) AND key_id = ANY(@keyIds)
        """, new { userId, deviceId, algorithms, keyIds }, ct);

    /// <summary>How many one-time keys each device of a user has left, and for which algorithms an unused fallback key.</summary>
    public Task<IReadOnlyList<KeyCount>> CountKeys(string userId, CancellationToken ct) => db.List<KeyCount>(
        """
        SELECT device_id, algorithm, count(*) AS count, false AS fallback FROM one_time_keys WHERE user_id = @userId GROUP BY device_id, algorithm
        UNION ALL
        SELECT device_id, algorithm, 0, true FROM fallback_keys WHERE user_id = @userId AND NOT used
        """, new { userId }, ct);

    /// <summary>Identity keys of a device that exists.</summary>
    public static void AddDeviceKeys(NpgsqlBatch batch, string userId, string deviceId, byte[] keys, string signatures) => batch.Add(
        """
        INSERT INTO device_keys AS old (user_id, device_id, keys, signatures)
        SELECT $1, $2, $3, $4::jsonb WHERE EXISTS (SELECT 1 FROM devices WHERE user_id = $1 AND device_id = $2)
        ON CONFLICT (user_id, device_id) DO UPDATE SET keys = excluded.keys,
            signatures = CASE WHEN old.keys = excluded.keys THEN merge_signatures(old.signatures, excluded.signatures) ELSE excluded.signatures END
        """, userId, deviceId, keys, signatures);

    /// <summary>The list of a user's devices changed at this position.</summary>
    public static void AddListChange(NpgsqlBatch batch, string userId, int back) => batch.Add(
        """
        INSERT INTO device_lists AS old (user_id, position) VALUES ($1, log_position($2))
        ON CONFLICT (user_id) DO UPDATE SET position = excluded.position, previous = old.position
        """, userId, back);

    /// <summary>After the deletion of devices, in the same change: what they had goes too.</summary>
    public static void AddRemoval(NpgsqlBatch batch, string userId, int back) =>
        batch.Add("SELECT forget_removed_devices($1, log_position($2))", userId, back);

    public static void AddOneTimeKeys(NpgsqlBatch batch, string userId, string deviceId, IReadOnlyList<UploadedKey> keys) => batch.Add(
        """
        INSERT INTO one_time_keys (user_id, device_id, algorithm, key_id, key)
        SELECT $1, $2, k.algorithm, k.key_id, k.key FROM unnest($3::text[], $4::text[], $5::bytea[]) AS k (algorithm, key_id, key)
        WHERE EXISTS (SELECT 1 FROM devices WHERE user_id = $1 AND device_id = $2)
        ON CONFLICT (user_id, device_id, algorithm, key_id) DO NOTHING
        """, userId, deviceId, keys.Select(k => k.Algorithm).ToArray(), keys.Select(k => k.KeyId).ToArray(), keys.Select(k => k.Key).ToArray());

    /// <summary>A fallback key that is uploaded again stays used.</summary>
    public static void AddFallbackKeys(NpgsqlBatch batch, string userId, string deviceId, IReadOnlyList<UploadedKey> keys) => batch.Add(
        """
        INSERT INTO fallback_keys AS old (user_id, device_id, algorithm, key_id, key)
        SELECT $1, $2, k.algorithm, k.key_id, k.key FROM unnest($3::text[], $4::text[], $5::bytea[]) AS k (algorithm, key_id, key)
        WHERE EXISTS (SELECT 1 FROM devices WHERE user_id = $1 AND device_id = $2)
        ON CONFLICT (user_id, device_id, algorithm) DO UPDATE SET key_id = excluded.key_id, key = excluded.key,
            used = old.used AND old.key_id = excluded.key_id AND old.key = excluded.key
        """, userId, deviceId, keys.Select(k => k.Algorithm).ToArray(), keys.Select(k => k.KeyId).ToArray(), keys.Select(k => k.Key).ToArray());

    public static void AddCrossSigningKey(NpgsqlBatch batch, string userId, string usage, string publicKey, byte[] keys, string signatures) => batch.Add(
        """
        INSERT INTO cross_signing_keys AS old (user_id, usage, public_key, keys, signatures) VALUES ($1, $2, $3, $4, $5::jsonb)
        ON CONFLICT (user_id, usage) DO UPDATE SET public_key = excluded.public_key, keys = excluded.keys,
            signatures = CASE WHEN old.keys = excluded.keys THEN merge_signatures(old.signatures, excluded.signatures) ELSE excluded.signatures END
        """, userId, usage, publicKey, keys, signatures);

    /// <summary>Signatures of a user on the keys of an own device.</summary>
    public static void AddDeviceSignatures(NpgsqlBatch batch, string userId, string deviceId, string signatures) => batch.Add(
        "UPDATE device_keys SET signatures = merge_signatures(signatures, $3::jsonb) WHERE user_id = $1 AND device_id = $2", userId, deviceId, signatures);

    /// <summary>Signatures of a user's device on the user's own master key.</summary>
    public static void AddMasterSignatures(NpgsqlBatch batch, string userId, string publicKey, string signatures) => batch.Add(
        "UPDATE cross_signing_keys SET signatures = merge_signatures(signatures, $3::jsonb) WHERE user_id = $1 AND usage = 'master' AND public_key = $2",
        userId, publicKey, signatures);

    /// <summary>Signatures of a user on the master key of another.</summary>
    /// <param name="signatures">JSON: by key id.</param>
    public static void AddForeignSignatures(NpgsqlBatch batch, string signer, string target, string targetKey, string signatures, int back) => batch.Add(
        """
        INSERT INTO key_signatures AS old (signer, target, target_key, signatures, position) VALUES ($1, $2, $3, $4::jsonb, log_position($5))
        ON CONFLICT (signer, target, target_key) DO UPDATE SET signatures = old.signatures || excluded.signatures, position = excluded.position
        """, signer, target, targetKey, signatures, back);

    /// <summary>
    /// Gives out a key for each (user, device, algorithm): the oldest one-time key, which is deleted, else the fallback key, which is then used.
    /// Returns user_id, device_id, algorithm, key_id, key.
    /// </summary>
    public static void AddClaim(NpgsqlBatch batch, string[] users, string[] devices, string[] algorithms) => batch.Add(
        """
        WITH wanted AS MATERIALIZED (
            SELECT w.user_id, w.device_id, w.algorithm, (
                SELECT key_nid FROM one_time_keys k
                WHERE k.user_id = w.user_id AND k.device_id = w.device_id AND k.algorithm = w.algorithm ORDER BY key_nid LIMIT 1) AS key_nid
            FROM unnest($1::text[], $2::text[], $3::text[]) AS w (user_id, device_id, algorithm)),
        taken AS (
            DELETE FROM one_time_keys k USING wanted w
            WHERE k.user_id = w.user_id AND k.device_id = w.device_id AND k.algorithm = w.algorithm AND k.key_nid = w.key_nid
            RETURNING k.user_id, k.device_id, k.algorithm, k.key_id, k.key),
        fallback AS (
            UPDATE fallback_keys f SET used = true FROM wanted w
            WHERE w.key_nid IS NULL AND f.user_id = w.user_id AND f.device_id = w.device_id AND f.algorithm = w.algorithm
            RETURNING f.user_id, f.device_id, f.algorithm, f.key_id, f.key)
        SELECT * FROM taken UNION ALL SELECT * FROM fallback
        """, users, devices, algorithms);
}
