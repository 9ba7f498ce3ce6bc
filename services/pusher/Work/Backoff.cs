namespace Matrix.Pusher.Work;

/// <summary>How long to wait after failures.</summary>
static class Backoff
{
    /// <summary>Ever longer, and spread, so that all whose gateway was away do not come at once.</summary>
    public static TimeSpan After(int failures, PushOptions options)
    {
        var wait = options.FirstRetry * Math.Pow(3, Math.Min(failures - 1, 20)) * (0.8 + (0.4 * Random.Shared.NextDouble()));
        return wait < options.LongestRetry ? wait : options.LongestRetry;
    }
}
