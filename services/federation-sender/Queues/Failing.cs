namespace Matrix.FederationSender.Queues;

/// <summary>Since when a destination does not take anything, and when it is tried again.</summary>
sealed record Failing(DateTimeOffset Since, DateTimeOffset RetryAt, TimeSpan Pause, string Reason)
{
    /// <summary>Until then it is left alone though it is heard from. Not stored: a replica that takes it over may try once too early.</summary>
    public DateTimeOffset NotBefore { get; init; }
}
