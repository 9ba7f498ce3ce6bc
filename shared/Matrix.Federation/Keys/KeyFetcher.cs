using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using Matrix.Protocol;
using Matrix.Storage.Caching;
using Matrix.Storage.Federation;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Matrix.Federation;

/// <summary>Gets lists of keys: of many servers at once from those whose word we take, the rest from the servers themselves.</summary>
sealed partial class KeyFetcher(FederationClient client, ServerKeyStore store, IOptions<FederationOptions> options, Caches caches, TimeProvider time, ILogger<KeyFetcher> log)
{
    const int MaxBytes = 256 << 10, AtOnce = 64, PerQuery = 100;
    static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10), FirstPause = TimeSpan.FromSeconds(5), LongestPause = TimeSpan.FromMinutes(5);

    /// <summary>When a server may be asked again: soon after it answered, later after each time that it did not.</summary>
    readonly BoundedCache<ServerName, (DateTimeOffset Next, int Failures)> _pauses =
        caches.Create<ServerName, (DateTimeOffset Next, int Failures)>("key_fetches", 1 << 20, (name, _) => 24 + Caches.WeightOf(name.ToString()));

    /// <summary>The same of those whose word we take: everybody would else wait first for one that is away.</summary>
    readonly ConcurrentDictionary<ServerName, (DateTimeOffset Next, int Failures)> _notaryPauses = [];

    /// <summary>Fetches what it can; what was got is stored.</summary>
    /// <param name="got">Told each list as it comes.</param>
    /// <param name="done">Told each server of which nothing more will come: who waits for one does not wait for all.</param>
    public async Task Fetch(IReadOnlyCollection<IGrouping<ServerName, KeyRequest>> wanted, Action<ServerKeyList> got, Action<ServerName> done, CancellationToken ct)
    {
        var left = wanted.Where(server => client.Allows(server.Key)).ToList();
        foreach (var notary in options.Value.TrustedKeyServers)
        {
            if (left.Count == 0)
                break;
            var name = ServerName.Parse(notary.ServerName);
            foreach (var part in left.Where(server => server.Key != name).Chunk(PerQuery).ToList())
            {
                // of several lists of one server the newest says what counts
                var lists = (await AskNotary(name, notary, part, ct)).OrderBy(list => list.ValidUntilTs).ToList();
                foreach (var list in lists)
                    await Take(list, got, ct);
                foreach (var server in part.Where(server => lists.Exists(list => list.Server == server.Key && server.All(key => Satisfies(list, key)))))
                {
                    left.Remove(server);
                    done(server.Key);
                }
            }
        }
        await Parallel.ForEachAsync(left, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = ct }, async (server, token) =>
        {
            if (await AskItself(server.Key, token) is { } list)
                await Take(list, got, token);
            done(server.Key);
        });
    }

    Task Take(ServerKeyList list, Action<ServerKeyList> got, CancellationToken ct)
    {
        got(list);
        return store.Upsert(new(list.Server, list.ValidUntilTs, list.Document), SHA256.HashData(list.Document), list.Keys, ct);
    }

    static bool Satisfies(ServerKeyList list, KeyRequest wanted) => list.Keys.Any(key =>
        (key.KeyId == wanted.KeyId || wanted.KeyId == KeyRequest.Any) && key.ValidUntilTs >= wanted.ValidAt);

    async Task<ServerKeyList?> AskItself(ServerName server, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        if (_pauses.TryGet(server, out var pause) && pause.Next > now)
            return null;
        try
        {
            var list = ServerKeyList.Read(await client.Get<byte[]>(server, "/_matrix/key/v2/server", ct, Cheap), now);
            if (list?.Server == server)
            {
                _pauses.Set(server, (now + FirstPause, 0));
                return list;
            }
            BadList(server, server);
        }
        catch (FederationException e)
        {
            NoKeys(server, e.Message);
        }
        _pauses.Set(server, After(pause));
        return null;
    }

    // Never long: of who comes back after days nothing is believed before its keys are asked for.
    (DateTimeOffset Next, int Failures) After((DateTimeOffset Next, int Failures) pause)
    {
        var length = TimeSpan.FromTicks(Math.Min(LongestPause.Ticks, FirstPause.Ticks << Math.Min(pause.Failures, 12)));
        return (time.GetUtcNow() + length, pause.Failures + 1);
    }

    async Task<IReadOnlyList<ServerKeyList>> AskNotary(ServerName notary, TrustedKeyServer trusted, IGrouping<ServerName, KeyRequest>[] wanted, CancellationToken ct)
    {
        if (_notaryPauses.TryGetValue(notary, out var pause) && pause.Next > time.GetUtcNow())
            return [];
        var query = JsonSerializer.SerializeToUtf8Bytes(new
        {
            server_keys = wanted.ToDictionary(server => server.Key.ToString(), server => server.Where(key => key.KeyId != KeyRequest.Any).GroupBy(key => key.KeyId).ToDictionary(
                key => key.Key.ToString(), key => new { minimum_valid_until_ts = key.Max(one => one.ValidAt) })),
        });
        try
        {
            var answer = await client.Post<NotaryAnswer>(notary, "/_matrix/key/v2/query", query, ct, Cheap with { MaxBytes = MaxBytes * (long)wanted.Length });
            var keys = await NotaryKeys(notary, trusted, ct);
            _notaryPauses.TryRemove(notary, out _);
            return [.. answer.ServerKeys
                .Select(list => System.Text.Encoding.UTF8.GetBytes(list.GetRawText()))
                .Where(list => keys == null || IsSigned(list, notary, keys))
                .Select(list => ServerKeyList.Read(list, time.GetUtcNow()))
                .OfType<ServerKeyList>()
                .Where(list => wanted.Any(server => server.Key == list.Server))];
        }
        catch (FederationException e)
        {
            NoKeys(notary, e.Message);
            _notaryPauses[notary] = After(pause);
            return [];
        }
    }

    /// <summary>The keys that the notary must have signed with; null where the configuration asks for none.</summary>
    async Task<IReadOnlyDictionary<KeyId, VerifyKey>?> NotaryKeys(ServerName notary, TrustedKeyServer trusted, CancellationToken ct)
    {
        if (trusted.VerifyKeys.Count > 0)
            return trusted.VerifyKeys.ToDictionary(key => KeyId.Parse(key.Key), key => VerifyKey.Parse(key.Value));
        if (trusted.AcceptKeysInsecurely)
            return null;
        var now = time.GetUtcNow();
        var published = ServerKeyList.Read(await client.Get<byte[]>(notary, "/_matrix/key/v2/server", ct, Cheap), now);
        return published?.Keys.Where(key => key.ValidUntilTs >= now.ToUnixTimeMilliseconds()).ToDictionary(key => key.KeyId, key => VerifyKey.Parse(key.PublicKey)) ?? [];
    }

    bool IsSigned(byte[] list, ServerName notary, IReadOnlyDictionary<KeyId, VerifyKey> keys)
    {
        try
        {
            if (JsonSignatures.Verify(list, notary, id => keys.GetValueOrDefault(id)))
                return true;
        }
        catch (ProtocolException)
        {
            // as bad as a wrong signature
        }
        BadList(notary, notary);
        return false;
    }

    static readonly FederationRequest Cheap = new() { IgnoreBackoff = true, Unsigned = true, Timeout = Timeout, MaxBytes = MaxBytes };

    sealed record NotaryAnswer(IReadOnlyList<JsonElement> ServerKeys);

    [LoggerMessage(Level = LogLevel.Information, Message = "No keys from {Server}: {Reason}")]
    partial void NoKeys(ServerName server, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A list of keys of {Server}, from {Source}, is not signed as it should be")]
    partial void BadList(ServerName server, ServerName source);
}
