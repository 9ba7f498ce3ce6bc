namespace Matrix.Federation;

/// <summary>What a request to another server may cost.</summary>
public sealed record FederationRequest
{
    public const long DefaultMaxBytes = 32 << 20;

    /// <summary>Until the answer is read to its end; null takes <c>federation.client_timeout</c>.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>The most that the answer may have.</summary>
    public long MaxBytes { get; init; } = DefaultMaxBytes;

    /// <summary>Ask also a server that failed lately: because a user waits for it, or it was just heard from.</summary>
    public bool IgnoreBackoff { get; init; }

    /// <summary>
    /// Ask also a server that failed lately, without a look at whether it did: who sets this remembers it, and says itself when the server is well again
    /// (<see cref="DestinationBackoff.Succeeded"/>).
    /// </summary>
    public bool SkipBackoff { get; init; }

    /// <summary>What happens says nothing of the server's health, and it need not know who asks.</summary>
    internal bool Unsigned { get; init; }

    internal static FederationRequest Default { get; } = new();
}
