using Matrix.Protocol;
using Npgsql;

namespace Matrix.Storage.Federation;

/// <summary>A key of another server.</summary>
/// <param name="PublicKey">In unpadded base64.</param>
/// <param name="ValidUntilTs">What it signed later than this is not valid; Unix milliseconds.</param>
/// <param name="FetchedTs">When it was got; Unix milliseconds.</param>
public sealed record StoredServerKey(ServerName ServerName, KeyId KeyId, string PublicKey, long ValidUntilTs, long FetchedTs);

/// <summary>A list of keys as its server signed it.</summary>
public sealed record StoredKeyDocument(ServerName ServerName, long ValidUntilTs, byte[] Document);

/// <summary>Others' signing keys, and the signed lists that they stood in.</summary>
public sealed class ServerKeyStore(NpgsqlDataSource db)
{
    /// <summary>All keys of these servers, by primary key.</summary>
    public Task<IReadOnlyList<StoredServerKey>> List(string[] servers, CancellationToken ct) => db.List<StoredServerKey>(
        "SELECT server_name, key_id, public_key, valid_until_ts, fetched_ts FROM server_keys WHERE server_name = ANY(@servers)", new { servers }, ct);

    /// <summary>The lists in which these keys stand, newest first; where no key is named, those of all.</summary>
    public Task<IReadOnlyList<StoredKeyDocument>> ListDocuments(ServerName server, string[] keyIds, CancellationToken ct) => db.List<StoredKeyDocument>(
        """
        SELECT d.server_name, d.valid_until_ts, d.document FROM server_key_documents d
        WHERE d.server_name = @server AND d.hash IN
            (SELECT k.document FROM server_keys k WHERE k.server_name = @server AND (k.key_id = ANY(@keyIds) OR @keyIds = '{}'))
        ORDER BY d.valid_until_ts DESC
        """, new { server, keyIds }, ct);

    /// <summary>Stores what one list says. A key's validity never shrinks, except that a key which became old is so from now on.</summary>
    public async Task Upsert(StoredKeyDocument document, byte[] hash, IReadOnlyList<StoredServerKey> keys, CancellationToken ct)
    {
        await using var connection = await db.OpenConnectionAsync(ct);
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(
            """
            INSERT INTO server_key_documents (server_name, hash, valid_until_ts, document) VALUES ($1, $2, $3, $4)
            ON CONFLICT (server_name, hash) DO NOTHING
            """, document.ServerName, hash, document.ValidUntilTs, document.Document);
        batch.Add(
            """
            INSERT INTO server_keys AS old (server_name, key_id, public_key, valid_until_ts, fetched_ts, document)
            SELECT $1, k.key_id, k.public_key, k.valid_until_ts, $5, $6 FROM unnest($2::text[], $3::text[], $4::bigint[]) AS k (key_id, public_key, valid_until_ts)
            ON CONFLICT (server_name, key_id) DO UPDATE SET public_key = excluded.public_key, valid_until_ts = excluded.valid_until_ts,
                fetched_ts = excluded.fetched_ts, document = excluded.document
            WHERE excluded.fetched_ts >= old.fetched_ts
            """, document.ServerName, keys.Select(key => key.KeyId.ToString()).ToArray(), keys.Select(key => key.PublicKey).ToArray(),
            keys.Select(key => key.ValidUntilTs).ToArray(), keys.Count > 0 ? keys[0].FetchedTs : 0, hash);
        // lists that no key refers to any more
        batch.Add(
            """
            DELETE FROM server_key_documents d WHERE d.server_name = $1
                AND NOT EXISTS (SELECT 1 FROM server_keys k WHERE k.server_name = $1 AND k.document = d.hash)
            """, document.ServerName);
        await batch.ExecuteNonQueryAsync(ct);
    }
}
