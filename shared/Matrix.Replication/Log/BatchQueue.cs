namespace Matrix.Replication;

/// <summary>
/// How long changes wait for their batch. Who waits for a commit is answered with it and comes again, so many come together right after a batch began: the one that comes next
/// has hardly ever waited, however long all of them do. So what counts is what the batch that is being written has waited. A commit that takes its time whatever
/// is in it (a distant disk, a synchronous replica) is no queue, and more changes make it no longer: the shortest commit of late is taken off.
/// </summary>
sealed class BatchQueue(TimeProvider time)
{
    static readonly TimeSpan Period = TimeSpan.FromSeconds(30);

    long _waited;  // ticks; of the first change of the batch that is being written, zero when none is
    long _shortest; // ticks
    long _began, _periodBegan = time.GetTimestamp();
    TimeSpan _shortestNow = TimeSpan.MaxValue, _shortestBefore = TimeSpan.MaxValue;

    /// <param name="next">How long the change that comes next has waited so far.</param>
    public TimeSpan Time(TimeSpan next)
    {
        var waited = Math.Max(next.Ticks, Volatile.Read(ref _waited));
        return TimeSpan.FromTicks(Math.Max(0, waited - Volatile.Read(ref _shortest)));
    }

    /// <summary>The writer takes the next batch. Called by one thread at a time, as is <see cref="Ended"/>.</summary>
    public void Begun(TimeSpan waited)
    {
        _began = time.GetTimestamp();
        Volatile.Write(ref _waited, waited.Ticks);
    }

    public void Ended()
    {
        Volatile.Write(ref _waited, 0);
        var took = time.GetElapsedTime(_began);
        if (time.GetElapsedTime(_periodBegan) > Period) (_periodBegan, _shortestBefore, _shortestNow) = (time.GetTimestamp(), _shortestNow, took);
        if (took < _shortestNow) _shortestNow = took;
        Volatile.Write(ref _shortest, Math.Min(_shortestNow.Ticks, _shortestBefore.Ticks));
    }
}
