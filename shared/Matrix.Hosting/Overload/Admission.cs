namespace Matrix.Hosting.Overload;

/// <summary>
/// Lets as many requests work at once as can without queueing too long, and refuses the rest before they cost anything: those that are let in stay fast,
/// and what is refused is told at once. The limit follows what is measured: it grows while requests want in and nothing queues, so that requests that only
/// wait for others (another server, a slow client) crowd nobody out; it shrinks when something queues and does not stop (<see cref="StandingQueue"/>).
/// Nothing is measured while little is to do. Who finds no place waits for one in a line; a line that stands is sent away, for a burst would be over.
/// </summary>
public sealed class Admission : IDisposable
{
    /// <summary>How often it is measured; for how long nobody waits after something queued; and for how long the limit grows with care after that.</summary>
    static readonly TimeSpan Step = TimeSpan.FromMilliseconds(20), Holds = TimeSpan.FromSeconds(1), Remembers = TimeSpan.FromSeconds(10);
    static readonly Work Unlimited = new(null);

    /// <summary>As a part of the places: a line that is no longer takes no time that matters. While it is remembered that something queued, none is longer.</summary>
    const double ShortLine = 0.125;

    readonly OverloadOptions _options;
    readonly QueueProbe[] _queues;
    readonly OverloadMetrics _metrics;
    readonly TimeProvider _time;
    readonly StandingQueue _standing, _line;
    readonly Lock _gate = new();
    readonly LinkedList<Waiter> _waiting = new();
    readonly CancellationTokenSource _disposed = new();
    int _working;
    double _limit;
    bool _isLooking;        // while somebody waits
    bool _isWanted;         // somebody found no place since the last measurement
    long? _probing;         // timestamp of the measurement under way
    long _measured, _shed;  // timestamps; 0: never
    int _entered, _turnedAway;

    public Admission(OverloadOptions options, IEnumerable<QueueProbe> queues, OverloadMetrics metrics, TimeProvider time)
    {
        (_options, _queues, _metrics, _time) = (options, [.. queues], metrics, time);
        (_standing, _line) = (new(time), new(time));
        _limit = Math.Min(options.MostAdmitted, options.AlwaysAdmitted * 2);
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
        LinkedListNode<Waiter> place;
        lock (_gate)
        {
            Look();
            if (_working < (int)_limit) return LetInNow();
            _isWanted = true;
            // while something queues too long, waiting would only add to it; and who waits must be fewer than can be let in soon
            if (IsShedding || _waiting.Count >= _limit * (HasShedWithin(Remembers) ? ShortLine : 1) || _options.Patience == TimeSpan.Zero) return Refused();
            place = _waiting.AddLast(new Waiter(new(TaskCreationOptions.RunContinuationsAsynchronously), _time.GetTimestamp()));
            if (!_isLooking) _ = LookWhileSomebodyWaits();
        }
        await Task.WhenAny(place.Value.Answer.Task, Task.Delay(_options.Patience, _time, ct));
        lock (_gate)
        {
            if (place.List is not null) _waiting.Remove(place);
        }
        // decided by now: nobody gives a place to one who is not in the list
        return place.Value.Answer.TrySetResult(false) || !await place.Value.Answer.Task ? Refused() : new Work(this);
    }

    /// <summary>Says that one that was let in was refused as too much further on. When many are, letting them in only costs.</summary>
    public void NoteTurnedAway()
    {
        lock (_gate) _turnedAway++;
    }

    // there may be room for more, and nobody else who asks
    async Task LookWhileSomebodyWaits()
    {
        _isLooking = true;
        while (true)
        {
            await Task.Delay(Step, _time, CancellationToken.None);
            lock (_gate)
            {
                Look();
                _isLooking = _waiting.Count > 0;
                if (!_isLooking) return;
            }
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

    bool IsShedding => HasShedWithin(Holds);

    bool HasShedWithin(TimeSpan time) => _shed != 0 && _time.GetElapsedTime(_shed) < time;

    bool IsTurnedAway => _turnedAway > _entered / 20;

    Work LetInNow()
    {
        (_working, _entered) = (_working + 1, _entered + 1);
        return new Work(this);
    }

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
            if (next.Value.Answer.TrySetResult(true)) (_working, _entered) = (_working + 1, _entered + 1);
        }
    }

    void Look()
    {
        if (_working < _options.AlwaysAdmitted / 2) return;
        if (_probing is { } began)
        {
            // one that has not come back yet has waited so long already
            if (_standing.Overdue(_time.GetElapsedTime(began)) is { } least) Adapt(least);
        }
        else if (_time.GetElapsedTime(_measured) >= Step)
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
            _measured = _time.GetTimestamp();
            if (_standing.Measured(longest) is { } least) Adapt(least);
            var waited = _waiting.First is { } first && _waiting.Count > _limit * ShortLine ? _time.GetElapsedTime(first.Value.Since) : TimeSpan.Zero;
            if (_line.Measured(waited) is { } shortest && shortest > _options.QueueingTime) SendAway();
            // with care, what queues half as long as it may is enough to have all that can be done
            if (longest <= (HasShedWithin(Remembers) ? _options.QueueingTime / 2 : _options.QueueingTime)) Grow(longest);
        }
    }

    /// <param name="least">That anything queued, in all of an interval.</param>
    void Adapt(TimeSpan least)
    {
        if (least > _options.QueueingTime) Shrink(_options.QueueingTime / least);
        else if (IsTurnedAway) Shrink(0.9); // whoever is behind it says how many are too many
        (_entered, _turnedAway) = (0, 0);
    }

    // what queues grows with what is at work: so much less of this makes it as short as it should be
    void Shrink(double part)
    {
        _limit = Math.Max(_options.AlwaysAdmitted, Math.Min(_limit, _working) * Math.Clamp(part, 0.5, 0.95));
        SendAway();
    }

    void SendAway()
    {
        _shed = _time.GetTimestamp();
        foreach (var place in _waiting) place.Answer.TrySetResult(false);
        _waiting.Clear();
    }

    void Grow(TimeSpan queueing)
    {
        if ((_isWanted || _waiting.Count > 0) && !IsTurnedAway)
        {
            var factor = HasShedWithin(Remembers) ? 1.01 : queueing > _options.QueueingTime / 4 ? 1.06 : 1.3;
            _limit = Math.Min(_options.MostAdmitted, _limit * factor);
        }
        _isWanted = false;
        LetIn();
    }

    /// <param name="Answer">True: it has a place now.</param>
    /// <param name="Since">A timestamp.</param>
    sealed record Waiter(TaskCompletionSource<bool> Answer, long Since);
}
