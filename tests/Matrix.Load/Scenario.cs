namespace Matrix.Load;

/// <summary>A named kind of load.</summary>
/// <param name="Name">What it is asked for by.</param>
/// <param name="Operation">What one operation is.</param>
/// <param name="Prepare">Makes what the scenario needs on a server, once; returns the run that is measured, which may be repeated.</param>
sealed record Scenario(string Name, string Operation, Func<Crowd, CancellationToken, Task<Func<Measurement, Task>>> Prepare)
{
    /// <summary>Preparing it takes minutes: it runs only when it is asked for.</summary>
    public bool IsLong { get; init; }

    /// <summary>All, in an order in which what one has made serves the next.</summary>
    public static IReadOnlyList<Scenario> All { get; } =
        [.. Scenarios.Sending.All, .. Scenarios.Delivery.All, .. Scenarios.Syncing.All, .. Scenarios.SlidingSync.All, .. Scenarios.Rooms.All, .. Scenarios.Devices.All,
            .. Scenarios.Presence.All, .. Scenarios.Media.All, .. Scenarios.Inbound.All, .. Scenarios.FarJoins.All, .. Scenarios.FanOut.All];
}
