namespace Matrix.Storage;

/// <summary>
/// The moments at which a process that has nothing to do looks around. They are whole multiples of the period, so that all that look around in a process do it in
/// one wake-up: putting a thread to sleep and waking it costs more than most of these looks.
/// </summary>
public static class Beat
{
    /// <summary>Waits for the next whole multiple of the period that is at least a quarter of it away.</summary>
    public static Task NextBeat(this TimeProvider time, TimeSpan period, CancellationToken ct) => Task.Delay(time.UntilBeat(period), time, ct);

    /// <inheritdoc cref="NextBeat"/>
    /// <returns>How long to wait.</returns>
    public static TimeSpan UntilBeat(this TimeProvider time, TimeSpan period)
    {
        var wait = period.Ticks - time.GetElapsedTime(0).Ticks % period.Ticks;
        return TimeSpan.FromTicks(wait < period.Ticks / 4 ? wait + period.Ticks : wait);
    }
}
