using Matrix.Gateway.Forwarding;

namespace Matrix.Gateway.Keeping;

/// <summary>
/// Bodies that were asked for twice within a while, the least recently used going first. Those that are being sent or received count until they are not, dropped or
/// not, so that <see cref="GatewayOptions.MediaCacheSize"/> is the most that there can be; when all of it is in use, nothing more is taken.
/// </summary>
sealed class KeptBodies : IDisposable
{
    /// <summary>What is smaller is passed on as cheaply as it is asked after.</summary>
    public const int Smallest = 64 * 1024;

    const int Remembered = 4096;
    static readonly TimeSpan While = TimeSpan.FromMinutes(5);

    readonly Lock _gate = new();
    readonly Dictionary<string, LinkedListNode<KeptBody>> _kept = [];
    readonly LinkedList<KeptBody> _order = []; // the most recently used first
    readonly HashSet<string> _coming = [];
    readonly (ulong Target, long When)[] _asked = new (ulong, long)[Remembered];
    readonly GatewayOptions _options;
    readonly TimeProvider _time;
    long _bytes;

    public KeptBodies(GatewayOptions options, GatewayMetrics metrics, TimeProvider time)
    {
        (_options, _time) = (options, time);
        metrics.WatchKept(() => Bytes);
    }

    public bool IsOn => _options.MediaCacheSize > 0 && OperatingSystem.IsLinux();

    public long Bytes => Volatile.Read(ref _bytes);

    /// <returns>The body of this target, to be given back by <see cref="Return"/>.</returns>
    public KeptBody? Find(string target)
    {
        lock (_gate)
        {
            if (!_kept.TryGetValue(target, out var node)) return null;
            _order.Remove(node);
            _order.AddFirst(node);
            node.Value.Users++;
            return node.Value;
        }
    }

    public void Return(KeptBody body)
    {
        lock (_gate)
        {
            body.Users--;
            if (!IsKept(body)) EndUnlessUsed(body);
        }
    }

    /// <summary>What was kept of this target is not what is served now.</summary>
    public void Drop(string target)
    {
        lock (_gate)
        {
            if (_kept.TryGetValue(target, out var node)) Remove(node);
        }
    }

    /// <summary>Keeps the body of an answer if this is worth it and there is room. One at a time for a target: others are passed on as they come.</summary>
    /// <returns>The body, to be given back by <see cref="Return"/>; null: nothing was read.</returns>
    public async ValueTask<KeptBody?> Keep(string target, string tag, long length, Func<CancellationToken, Task<Stream>> open, CancellationToken ct)
    {
        if (length < Smallest || length > _options.MediaCacheLargest || !MakeRoom(target, length)) return null;
        KeptBody? body = null;
        try
        {
            return body = await KeptBody.Receive(target, tag, length, await open(ct), ct);
        }
        finally
        {
            End(target, length, body);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            while (_order.First is { } node) Remove(node);
        }
    }

    bool MakeRoom(string target, long length)
    {
        lock (_gate)
        {
            if (!WasAskedBefore(target) || _coming.Contains(target)) return false;
            var room = Room(length);
            for (var node = _order.Last; node is not null && _bytes + room > _options.MediaCacheSize;)
            {
                var older = node;
                node = node.Previous;
                if (older.Value.Users == 0) Remove(older);
            }

            if (_bytes + room > _options.MediaCacheSize) return false;
            _bytes += room;
            return _coming.Add(target);
        }
    }

    void End(string target, long length, KeptBody? body)
    {
        lock (_gate)
        {
            _coming.Remove(target);
            if (body is null)
            {
                _bytes -= Room(length);
                return;
            }

            if (_kept.TryGetValue(target, out var before)) Remove(before);
            _kept[target] = _order.AddFirst(body);
            body.Users++;
        }
    }

    // two that share a place overwrite each other, and then are kept a little later
    bool WasAskedBefore(string target)
    {
        var (hash, now) = (AffinityKey.Hash(target), _time.GetTimestamp());
        ref var place = ref _asked[hash % Remembered];
        var was = place.Target == hash && _time.GetElapsedTime(place.When, now) < While;
        place = (hash, now);
        return was;
    }

    bool IsKept(KeptBody body) => _kept.TryGetValue(body.Target, out var node) && node.Value == body;

    void Remove(LinkedListNode<KeptBody> node)
    {
        _kept.Remove(node.Value.Target);
        _order.Remove(node);
        EndUnlessUsed(node.Value);
    }

    void EndUnlessUsed(KeptBody body)
    {
        if (body.Users > 0) return;
        body.Dispose();
        _bytes -= Room(body.Length);
    }

    // whole pages
    static long Room(long length) => (length + Environment.SystemPageSize - 1) / Environment.SystemPageSize * Environment.SystemPageSize;
}
