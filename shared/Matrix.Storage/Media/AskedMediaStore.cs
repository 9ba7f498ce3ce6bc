using Dapper;
using Matrix.Protocol;
using Npgsql;

namespace Matrix.Storage.Media;

/// <summary>Who asks, by the hash of the access token, and for which media.</summary>
public readonly record struct MediaQuestion(byte[] AccessHash, ServerName Origin, string MediaId);

/// <summary>Null for what there is not.</summary>
public sealed record MediaAnswer(Session? Session, MediaRow? Media);

/// <summary>The sessions and the media of many requests in one round trip, each session and each media once.</summary>
public sealed class AskedMediaStore(NpgsqlDataSource db)
{
    static readonly EqualityComparer<byte[]> s_hashes = EqualityComparer<byte[]>.Create(
        (one, other) => one.AsSpan().SequenceEqual(other), hash => BitConverter.ToInt32(hash));

    /// <returns>The answers in the order of the questions.</returns>
    public Task<IReadOnlyList<MediaAnswer>> Find(IReadOnlyList<MediaQuestion> questions, CancellationToken ct)
    {
        var sessions = new Dictionary<byte[], Session?>(s_hashes);
        var media = new Dictionary<(ServerName, string), MediaRow?>();
        foreach (var question in questions)
        {
            sessions.TryAdd(question.AccessHash, null);
            media.TryAdd((question.Origin, question.MediaId), null);
        }
        var (hashes, names) = (sessions.Keys.ToArray(), media.Keys.ToArray());
        return db.Read(batch =>
        {
            foreach (var hash in hashes)
                SessionStore.AddFind(batch, hash);
            foreach (var (origin, mediaId) in names)
                MediaStore.AddFind(batch, origin, mediaId);
        }, async (reader, token) =>
        {
            await FindEach(reader, hashes, sessions, token);
            await FindEach(reader, names, media, token);
            return (IReadOnlyList<MediaAnswer>)[.. questions.Select(question =>
                new MediaAnswer(sessions[question.AccessHash], media[(question.Origin, question.MediaId)]))];
        }, ct);
    }

    static async Task FindEach<TKey, TRow>(NpgsqlDataReader reader, TKey[] keys, Dictionary<TKey, TRow?> found, CancellationToken ct)
        where TKey : notnull
        where TRow : class
    {
        foreach (var key in keys)
        {
            if (await reader.ReadAsync(ct))
                found[key] = reader.GetRowParser<TRow>()(reader);
            await reader.NextResultAsync(ct);
        }
    }
}
