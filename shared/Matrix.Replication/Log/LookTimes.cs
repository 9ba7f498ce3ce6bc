namespace Matrix.Replication;

/// <summary>
/// When a follower has to ask Postgres: a message is overdue, the last look was long ago, or nobody tells it of commits. Used by the follower's loop; only
/// <see cref="Age"/> is for everybody.
/// </summary>
sealed class LookTimes(LogFollowerOptions options, TimeProvider time)
{
    static readonly TimeSpan s_afterFailure = TimeSpan.FromSeconds(1);

    long _heardAt;     // timestamp of the last entry or look
    long _lookedAt;    // timestamp before the last look in Postgres; 0: there was none
    long _behindSince; // timestamp, while a position above ours is known; 0: none is
    long _behindAt;    // our position then: every step forward gives the messages under way their grace again
    long _failedAt;    // timestamp of a look that failed; 0: the last one did not

    /// <summary>Since the last look that was answered.</summary>
    public TimeSpan Age => Volatile.Read(ref _lookedAt) is not 0 and var at ? time.GetElapsedTime(at) : TimeSpan.MaxValue;

    /// <summary>How long until the next look.</summary>
    /// <param name="isTold">Do messages come?</param>
    public TimeSpan Next(bool isTold)
    {
        if (_failedAt != 0)
            return AtLeastZero(s_afterFailure - time.GetElapsedTime(_failedAt));
        var wait = options.SelfCheck - time.GetElapsedTime(_lookedAt); // also when messages come: they may be old ones
        if (!isTold)
            wait = Min(wait, options.SelfCheckWithoutBus - time.GetElapsedTime(_heardAt));
        if (_behindSince != 0)
            wait = Min(wait, options.Grace - time.GetElapsedTime(_behindSince));
        return AtLeastZero(wait);
    }

    /// <summary>Is the next look but a routine one, which whoever knows the newest position as well can answer?</summary>
    public bool IsRoutine => _behindSince == 0 && _failedAt == 0 && time.GetElapsedTime(_lookedAt) < options.SelfCheck;

    /// <summary>Entries have come, or it is known that there are none.</summary>
    public void Heard() => _heardAt = time.GetTimestamp();

    /// <summary>A position above ours is known, or is not any more.</summary>
    public void SetBehind(bool isBehind, long position)
    {
        if (!isBehind)
            _behindSince = 0;
        else if (_behindSince == 0 || _behindAt != position)
            (_behindSince, _behindAt) = (time.GetTimestamp(), position);
    }

    /// <summary>Postgres has said all there is.</summary>
    /// <param name="began">A timestamp before it was asked.</param>
    public void Looked(long began)
    {
        _failedAt = 0;
        _behindSince = 0;
        Heard();
        Volatile.Write(ref _lookedAt, began);
    }

    /// <summary>Postgres did not answer.</summary>
    public void Failed() => _failedAt = time.GetTimestamp();

    static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    static TimeSpan AtLeastZero(TimeSpan wait) => wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
}
