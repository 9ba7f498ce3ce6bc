using System.ComponentModel.DataAnnotations;

namespace Matrix.ClientApi.Sync;

/// <summary>The section <c>first_syncs</c>: how many answers that hold everything are put together at once.</summary>
sealed class FirstSyncOptions
{
    /// <summary>At once in a process; 0: half as many as it has connections to the database.</summary>
    [Range(0, 1000)] public int Concurrent { get; init; }

    /// <summary>More than this do not wait.</summary>
    [Range(0, 1_000_000)] public int MostWaiting { get; init; } = 4096;

    /// <summary>How long one waits for its turn.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:10:00")] public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(1);
}
