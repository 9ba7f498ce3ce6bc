using System.ComponentModel.DataAnnotations;

namespace Matrix.FederationReader.Receiving;

/// <summary>How transactions of other servers are taken in.</summary>
sealed class ReceivingOptions
{
    /// <summary>How long a transaction's events are worked on before it is answered. What is left then waits in the inbox.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")] public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Rooms of one transaction that are worked on at a time.</summary>
    [Range(1, 100)] public int RoomsAtOnce { get; init; } = 8;

    /// <summary>Lanes of the inbox (the events of one server in one room) that are worked on at a time.</summary>
    [Range(1, 1000)] public int LanesAtOnce { get; init; } = 16;

    /// <summary>Events of one server that may wait. While there are more its transactions are refused: it has to send them again later.</summary>
    [Range(50, 1_000_000)] public int MostWaiting { get; init; } = 2000;

    /// <summary>How often it is tried to fetch what an event needs. After that it is dropped: whoever builds on it makes us fetch it.</summary>
    [Range(1, 100)] public int MostAttempts { get; init; } = 6;

    /// <summary>The pause after the first failed try; it doubles with each.</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "01:00:00")] public TimeSpan FirstPause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a repeated transaction gets its first answer.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "3650.00:00:00")] public TimeSpan TransactionRetention { get; init; } = TimeSpan.FromDays(3);
}
