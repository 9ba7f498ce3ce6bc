namespace Matrix.Hosting.Overload;

/// <summary>
/// Tells a queue that stands from one that comes and goes. A burst, a pause for garbage, a thread that a busy machine did not run for a moment make one wait long
/// once, and are over by themselves; only if everything that was measured in an interval is long is there more to do than can be done. (The idea is CoDel's: RFC 8289.)
/// </summary>
sealed class StandingQueue(TimeProvider time)
{
    static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    const int FewestMeasurements = 2;

    TimeSpan _least = TimeSpan.MaxValue;
    long _began, _last;
    int _measurements;

    /// <summary>Takes what one has queued just now; the least of the interval when it is over.</summary>
    public TimeSpan? Measured(TimeSpan queueing)
    {
        // nothing was measured for a while because little was to do: what was found before says nothing
        if (time.GetElapsedTime(_last) > Interval + queueing) Begin(time.GetTimestamp());
        _last = time.GetTimestamp();
        _measurements++;
        if (queueing < _least) _least = queueing;
        return (_measurements >= FewestMeasurements && time.GetElapsedTime(_began) >= Interval) || queueing >= 2 * Interval ? End() : null;
    }

    /// <summary>Takes how long one has queued so far that has not come to its end; the least of the interval if that is beyond any doubt too long.</summary>
    public TimeSpan? Overdue(TimeSpan sofar)
    {
        if (sofar < 2 * Interval || time.GetElapsedTime(_began) < Interval) return null;
        _least = sofar;
        return End();
    }

    TimeSpan End()
    {
        var least = _least;
        Begin(time.GetTimestamp());
        return least;
    }

    void Begin(long now) => (_began, _least, _measurements) = (now, TimeSpan.MaxValue, 0);
}
