namespace Matrix.Hosting.Overload;

/// <summary>
/// Lets as many requests work at once as can without queueing too long, and refuses the rest before they cost anything: those that are let in stay fast,
/// and what is refused is told at once. The limit follows what is measured: it grows while requests want in and nothing queues, so that requests that only
/// wait for others (another server, a slow client) crowd nobody out; it shrinks as soon as something queues. Nothing is measured while little is to do.
/// </summary>
public sealed class Admission : IDisposable
{
    /// <summary>How often the limit changes, and for how long a finding holds.</summary>
    static readonly TimeSpan Step = TimeSpan.FromMilliseconds(20), Holds = TimeSpan.FromSeconds(1);
    static readonly Work Unlimited = new(null);

    readonly OverloadOptions _options;
    readonly QueueProbe[] _queues;
    readonly OverloadMetrics _metrics;
    readonly TimeProvider _time;
    readonly Lock _gate = new();
    readonly LinkedList<TaskCompletionSource<bool>> _waiting = new();
    readonly CancellationTokenSource _disposed = new();
    int _working;
    double _limit;
    bool _isWanted;        // somebody found no place since the last step
    long? _probing;        // timestamp of the measurement under way
    long _stepped, _shed;  // timestamps; 0: never

    public Admission(OverloadOptions options, IEnumerable<QueueProbe> queues, OverloadMetrics metrics, TimeProvider time)
    {
        (_options, _queues, _metrics, _time) = (options, [.. queues], metrics, time);
        _limit = Math.Min(options.MostAdmitted, options.AlwaysAdmitted * 2);
        metrics.Watch(() => Working, () => Limit);
    }

    /// <summary>Requests at work.</summary>
    public int Working
    {
        get
        {
            lock (_gate) return _working;
        }
    }

    /// <summary>How many may be.</summary>
    public int Limit
    {
        get
        {
            lock (_gate) return (int)_limit;
        }
    }

    /// <summary>For tests, in which time goes on only when nothing is under way.</summary>
    internal bool IsMeasuring
    {
        get
        {
            lock (_gate) return _probing is not null;
        }
    }

    /// <summary>The request's place, to be disposed when it is answered; null when it has to be refused.</summary>
    public async ValueTask<Work?> Enter(CancellationToken ct)
    {
        if (!_options.Enabled) return Unlimited;
        LinkedListNode<TaskCompletionSource<bool>> place;
        lock (_gate)
        {
            Look();
            if (_working < (int)_limit)
            {
                _working++;
                return new Work(this);
            }
            _isWanted = true;
            // while something queues too long, waiting would only add to it
            if (IsShedding || _waiting.Count >= _options.MostAdmitted || _options.Patience == TimeSpan.Zero) return Refused();
            place = _waiting.AddLast(new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        await Wait(place.Value.Task, ct);
        lock (_gate)
        {
            if (place.List is not null) _waiting.Remove(place);
        }
        // decided by now: nobody gives a place to one who is not in the list
        return place.Value.TrySetResult(false) || !await place.Value.Task ? Refused() : new Work(this);
    }

    async Task Wait(Task place, CancellationToken ct)
    {
        var began = _time.GetTimestamp();
        while (!place.IsCompleted && !ct.IsCancellationRequested && _time.GetElapsedTime(began) < _options.Patience)
        {
            await Task.WhenAny(place, Task.Delay(Step, _time, ct));
            lock (_gate) Look(); // there may be room for more, and nobody else who asks
        }
    }

    internal void Leave()
    {
        lock (_gate)
        {
            _working--;
            LetIn();
        }
    }

    public void Dispose()
    {
        _disposed.Cancel();
        _disposed.Dispose();
    }

    bool IsShedding => _shed != 0 && _time.GetElapsedTime(_shed) < Holds;

    Work? Refused()
    {
        _metrics.Refused();
        return null;
    }

    void LetIn()
    {
        while (_working < (int)_limit && _waiting.First is { } next)
        {
            _waiting.RemoveFirst();
            if (next.Value.TrySetResult(true)) _working++;
        }
    }

    void Look()
    {
        if (_working < _options.AlwaysAdmitted / 2) return;
        if (_probing is { } began)
        {
            // one that has not come back yet has waited so long already
            if (_time.GetElapsedTime(began) is var sofar && sofar > _options.QueueingTime) Adapt(sofar);
        }
        else if (_time.GetElapsedTime(_stepped) >= Step)
        {
            _probing = _time.GetTimestamp();
            ThreadPool.UnsafeQueueUserWorkItem(static admission => _ = admission.Probe(), this, preferLocal: false);
        }
    }

    async Task Probe()
    {
        var longest = _time.GetElapsedTime(_probing!.Value);
        foreach (var queue in _queues)
        {
            try
            {
                if (await queue.Measure(_disposed.Token) is var wait && wait > longest) longest = wait;
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // what cannot be had at all is an outage, and those who need it say so
            }
        }
        _metrics.Queued(longest);
        lock (_gate)
        {
            _probing = null;
            Adapt(longest);
        }
    }

    void Adapt(TimeSpan queueing)
    {
        if (_time.GetElapsedTime(_stepped) < Step) return;
        _stepped = _time.GetTimestamp();
        if (queueing > _options.QueueingTime)
        {
            _limit = Math.Max(_options.AlwaysAdmitted, Math.Min(_limit, _working) * 0.8);
            _shed = _stepped;
        }
        else if (_isWanted)
        {
            _limit = Math.Min(_options.MostAdmitted, _limit * (queueing > _options.QueueingTime / 4 ? 1.06 : 1.5));
        }
        _isWanted = false;
        LetIn();
    }
}
