using Matrix.Protocol;

namespace Matrix.Federation;

/// <summary>Why a request to another server came to nothing.</summary>
public enum FederationFailure
{
    /// <summary>No connection, or it broke; a name without address; a certificate that does not fit.</summary>
    Unreachable,

    /// <summary>The answer, or the rest of it, did not come in time.</summary>
    TimedOut,

    /// <summary>It answered with an error: <see cref="FederationException.Status"/> and <see cref="FederationException.Errcode"/>.</summary>
    Refused,

    /// <summary>The answer is larger than was asked for.</summary>
    TooLarge,

    /// <summary>The answer is not what the specification says.</summary>
    Malformed,

    /// <summary>We do not speak with it: not on the list of those we do, or its address is on the list of those we do not.</summary>
    Forbidden,

    /// <summary>It failed lately, and is not asked again before its time.</summary>
    BackingOff,
}

/// <summary>A request to another server failed.</summary>
public sealed class FederationException : Exception, IMatrixError
{
    public FederationException(ServerName destination, FederationFailure failure, string message, Exception? inner = null)
        : base($"{destination}: {message}", inner) => (Destination, Failure) = (destination, failure);

    public ServerName Destination { get; }

    public FederationFailure Failure { get; }

    /// <summary>The HTTP status of its answer, where it <see cref="FederationFailure.Refused"/>.</summary>
    public int? Status { get; init; }

    /// <summary>The <c>errcode</c> of its answer, if there is one.</summary>
    public string? Errcode { get; init; }

    /// <summary>How long it wants to be left alone, where it says so.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The body of its refusal: at most 64 KiB.</summary>
    public ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>Is it the destination that is not well, rather than this request?</summary>
    public bool IsOutage => Failure is FederationFailure.Unreachable or FederationFailure.TimedOut
        || Failure is FederationFailure.Refused && Status is 429 or >= 500;

    // what a client is told where nobody says it better
    int IMatrixError.Status => Failure == FederationFailure.TimedOut ? 504 : 502;

    string IMatrixError.Errcode => "M_UNKNOWN";
}
