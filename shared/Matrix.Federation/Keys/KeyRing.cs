using System.Collections.Concurrent;
using Matrix.Protocol;
using Matrix.Storage.Caching;
using Matrix.Storage.Federation;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Matrix.Federation;

/// <summary>
/// The signing keys of all servers, ours among them: from memory, from the database, or from who can be asked. A key in memory is not stale in what
/// it says: what a key signed while it was valid stays good. That one was withdrawn early is known when its list has run out.
/// </summary>
public sealed class KeyRing
{
    /// <summary>Of one server. One that has more, being new each time that it is asked, is asked no more.</summary>
    const int MostKeys = 1000;

    readonly ServerSigningKey _own;
    readonly ServerKeyStore _store;
    readonly KeyFetcher _fetcher;
    readonly TimeProvider _time;
    readonly KnownKeys _ownKeys;
    readonly BoundedCache<ServerName, KnownKeys> _known;
    readonly ConcurrentDictionary<ServerName, TaskCompletionSource> _fetching = new();

    internal KeyRing(ServerSigningKey own, ServerKeyStore store, KeyFetcher fetcher, IOptions<FederationOptions> options, Caches caches, TimeProvider time)
    {
        (_own, _store, _fetcher, _time) = (own, store, fetcher, time);
        _known = caches.Create<ServerName, KnownKeys>("server_keys", 16 << 20,
            (name, keys) => Caches.WeightOf(name.ToString()) + 64 + keys.Keys.Count * 300);
        _ownKeys = OwnKeys(own, options.Value);
    }

    internal static KeyRing Create(IServiceProvider p) => new(p.GetRequiredService<ServerSigningKey>(), p.GetRequiredService<ServerKeyStore>(),
        p.GetRequiredService<KeyFetcher>(), p.GetRequiredService<IOptions<FederationOptions>>(), p.GetRequiredService<Caches>(), p.GetRequiredService<TimeProvider>());

    /// <summary>Those of the wanted keys that are to be had, and were valid when they had to be.</summary>
    /// <param name="still">And are so now, after they may have been asked for: their server may just have told that one is old.</param>
    public async ValueTask<IReadOnlyDictionary<(ServerName, KeyId), VerifyKey>> Find(IEnumerable<KeyRequest> wanted, CancellationToken ct, bool still = false)
    {
        var all = wanted.ToList();
        var known = await Load(all, ct);
        var now = still ? _time.GetUtcNow().ToUnixTimeMilliseconds() : 0;
        var found = new Dictionary<(ServerName, KeyId), VerifyKey>();
        foreach (var key in all.GroupBy(key => (key.Server, key.KeyId)))
        {
            if (known[key.Key.Server].Keys.TryGetValue(key.Key.KeyId, out var one) && key.All(request => one.IsValidAt(Math.Max(request.ValidAt, now))))
                found[key.Key] = one.Key;
        }
        return found;
    }

    /// <summary>Are all of them known, in memory or in the database, so that nobody has to be asked?</summary>
    public async ValueTask<bool> Has(IReadOnlyCollection<KeyRequest> wanted, CancellationToken ct)
    {
        var servers = wanted.GroupBy(key => key.Server).ToList();
        if (servers.TrueForAll(IsKnown))
            return true;
        await Read(servers, ct);
        return servers.TrueForAll(IsKnown);
    }

    /// <summary>What is known of these servers' keys, after what is missing was asked for.</summary>
    internal async ValueTask<IReadOnlyDictionary<ServerName, KnownKeys>> Load(IReadOnlyCollection<KeyRequest> wanted, CancellationToken ct)
    {
        var servers = wanted.GroupBy(key => key.Server).ToList();
        var missing = servers.Where(server => !IsKnown(server)).ToList();
        if (missing.Count > 0)
        {
            await Read(missing, ct);
            missing.RemoveAll(IsKnown);
            if (missing.Count > 0)
                await Fetch(missing, ct);
        }
        return servers.ToDictionary(server => server.Key, server => Known(server.Key));
    }

    bool IsKnown(IGrouping<ServerName, KeyRequest> server) => Known(server.Key) is var known && server.All(known.Has);

    KnownKeys Known(ServerName server) =>
        server == _own.ServerName ? _ownKeys : _known.TryGet(server, out var known) ? known : KnownKeys.None;

    async Task Read(IReadOnlyCollection<IGrouping<ServerName, KeyRequest>> servers, CancellationToken ct)
    {
        var rows = await _store.List([.. servers.Where(server => server.Key != _own.ServerName).Select(server => server.Key.ToString())], ct);
        foreach (var server in rows.GroupBy(row => row.ServerName))
            Keep(server.Key, server);
    }

    /// <summary>Each server is asked once, however many wait for its keys; what nobody can have, such as a key valid next year, is not asked for.</summary>
    async Task Fetch(List<IGrouping<ServerName, KeyRequest>> missing, CancellationToken ct)
    {
        var latest = (_time.GetUtcNow() + TimeSpan.FromDays(7)).ToUnixTimeMilliseconds();
        var (mine, waits) = (new List<IGrouping<ServerName, KeyRequest>>(), new List<Task>());
        var asked = new Dictionary<ServerName, TaskCompletionSource>();
        foreach (var server in missing.Where(server => server.Key != _own.ServerName && server.Any(key => key.ValidAt <= latest) && Known(server.Key).Keys.Count < MostKeys))
        {
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var running = _fetching.GetOrAdd(server.Key, done);
            if (running == done)
            {
                mine.Add(server);
                asked[server.Key] = done;
            }
            waits.Add(running.Task);
        }
        if (mine.Count > 0)
            _ = Fetch(mine, asked);
        await Task.WhenAll(waits).WaitAsync(ct);
    }

    /// <summary>Goes on when its caller goes away: others may wait for the same keys.</summary>
    async Task Fetch(List<IGrouping<ServerName, KeyRequest>> mine, Dictionary<ServerName, TaskCompletionSource> asked)
    {
        Exception? failure = null;
        try
        {
            await _fetcher.Fetch(mine, list => Keep(list.Server, list.Keys), server => Done(server, null), CancellationToken.None);
        }
        catch (Exception e)
        {
            failure = e; // theirs who wait
        }
        foreach (var server in asked.Keys)
            Done(server, failure);

        void Done(ServerName server, Exception? cause)
        {
            _fetching.TryRemove(new(server, asked[server]));
            if (cause == null)
                asked[server].TrySetResult();
            else
                asked[server].TrySetException(cause);
        }
    }

    void Keep(ServerName server, IEnumerable<StoredServerKey> keys)
    {
        var all = new Dictionary<KeyId, KnownKey>(Known(server).Keys);
        var fetched = 0L;
        foreach (var key in keys)
        {
            fetched = Math.Max(fetched, key.FetchedTs);
            if (VerifyKey.TryParse(key.PublicKey) is { } parsed)
                all[key.KeyId] = new KnownKey(parsed, key.ValidUntilTs);
        }
        _known.Set(server, new KnownKeys(all, fetched));
    }

    static KnownKeys OwnKeys(ServerSigningKey own, FederationOptions options)
    {
        var keys = options.OldSigningKeys.ToDictionary(old => KeyId.Parse(old.Key), old => new KnownKey(VerifyKey.Parse(old.Value.Key), old.Value.ExpiredTs));
        keys[own.Key.KeyId] = new KnownKey(own.Key.VerifyKey, long.MaxValue);
        return new KnownKeys(keys, 0);
    }
}
