using System.ComponentModel.DataAnnotations;

namespace Matrix.ClientApi.Sync;

/// <summary>The section <c>first_syncs</c>: how many answers that hold everything are put together at once.</summary>
sealed class FirstSyncOptions
{
    /// <summary>
    /// So many answers that hold everything, such as a new device's first, are put together at once in a process; the others take turns. 0: half of
    /// <c>database.args.cp_max</c>.
    /// </summary>
    [Range(0, 1000)] public int Concurrent { get; init; }

    /// <summary>So many wait for their turn; further ones are refused.</summary>
    [Range(0, 1_000_000)] public int MostWaiting { get; init; } = 4096;

    /// <summary>How long one waits for its turn.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:10:00")] public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(1);
}
