using System.ComponentModel.DataAnnotations;

namespace Matrix.FederationSender;

/// <summary>The section <c>federation_sender</c> of homeserver.yaml. The defaults are meant to stay.</summary>
public sealed class SenderOptions
{
    /// <summary>PDUs in a transaction. The specification allows at most 50.</summary>
    [Range(1, 50)] public int PdusPerTransaction { get; set; } = 50;

    /// <summary>EDUs in a transaction. The specification allows at most 100.</summary>
    [Range(2, 100)] public int EdusPerTransaction { get; set; } = 100;

    /// <summary>Requests under way at once.</summary>
    [Range(1, 10_000)] public int Concurrency { get; set; } = 256;

    /// <summary>Requests under way at once to servers that failed last time: those that answer never wait for them.</summary>
    [Range(1, 1000)] public int RetryConcurrency { get; set; } = 32;

    /// <summary>A request that takes longer makes room for another one.</summary>
    [Range(1, 600_000)] public int SlowAfterMilliseconds { get; set; } = 3000;

    /// <summary>Requests under way at once that have made room for others.</summary>
    [Range(0, 100_000)] public int SlowConcurrency { get; set; } = 2000;

    /// <summary>Events that wait in memory for one destination. One that is further behind is read for from the database.</summary>
    [Range(1, 10_000)] public int MostQueued { get; set; } = 200;

    /// <summary>A destination for which more events wait than this, after an outage, gets the newest of each room: it fetches the others if it wants them.</summary>
    [Range(1, 100_000)] public int MostCaughtUpInFull { get; set; } = 10_000;

    /// <summary>How long an answer to a transaction may take.</summary>
    [Range(1, 600)] public int TimeoutSeconds { get; set; } = 60;

    /// <summary>How long a destination is left alone after it failed for the first time. Each further failure doubles it.</summary>
    [Range(1, 3_600_000)] public int FirstPauseMilliseconds { get; set; } = 1000;

    /// <summary>The longest that a destination is left alone.</summary>
    [Range(1, 10_080)] public int LongestPauseMinutes { get; set; } = 1440;

    public TimeSpan Timeout => TimeSpan.FromSeconds(TimeoutSeconds);

    public TimeSpan SlowAfter => TimeSpan.FromMilliseconds(SlowAfterMilliseconds);

    public TimeSpan FirstPause => TimeSpan.FromMilliseconds(FirstPauseMilliseconds);

    public TimeSpan LongestPause => TimeSpan.FromMinutes(LongestPauseMinutes);
}
