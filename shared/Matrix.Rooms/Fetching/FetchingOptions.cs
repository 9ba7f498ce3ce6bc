using System.ComponentModel.DataAnnotations;

namespace Matrix.Rooms.Fetching;

/// <summary>How far this server goes for one event of another server.</summary>
public sealed class FetchingOptions
{
    /// <summary>Events before it that are fetched; what lies further back is left for whoever pages there.</summary>
    [Range(1, 10_000)] public int MostPrevEvents { get; init; } = 300;

    /// <summary>Requests for events before it, one after the other.</summary>
    [Range(1, 100)] public int MostRounds { get; init; } = 10;

    /// <summary>Events before it for which the state is asked for, because others before them are not to be had.</summary>
    [Range(1, 20)] public int MostStates { get; init; } = 3;

    /// <summary>Events of an auth chain.</summary>
    [Range(10, 100_000)] public int MostAuthEvents { get; init; } = 10_000;

    /// <summary>Events of a state, and of its auth chain.</summary>
    [Range(100, 1_000_000)] public int MostStateEvents { get; init; } = 100_000;

    /// <summary>Servers that are asked when the first does not answer.</summary>
    [Range(1, 20)] public int MostServers { get; init; } = 3;
}
