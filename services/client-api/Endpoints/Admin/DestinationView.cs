using Matrix.Storage.Federation;

namespace Matrix.ClientApi.Endpoints.Admin;

/// <summary>A destination as the admin API shows it. Times are milliseconds since 1970.</summary>
/// <param name="RetryLastTs">Of the last attempt; 0: it does not fail.</param>
/// <param name="RetryInterval">How long it is left alone, in milliseconds.</param>
/// <param name="FailureTs">Since when it fails.</param>
/// <param name="LastSuccessfulStreamOrdering">Everything up to this position of the log was delivered.</param>
sealed record DestinationView(string Destination, long RetryLastTs, long RetryInterval, long? FailureTs, long LastSuccessfulStreamOrdering)
{
    public static DestinationView Of(ShownDestination shown) => new(
        shown.Server,
        shown is { RetryAt: { } at, RetryInterval: { } pause } ? (at - pause).ToUnixTimeMilliseconds() : 0,
        (long)(shown.RetryInterval?.TotalMilliseconds ?? 0),
        shown.FailingSince?.ToUnixTimeMilliseconds(),
        shown.Delivered);
}

/// <summary>The part of a list that is asked for: <c>from</c>, <c>limit</c> and <c>dir</c>.</summary>
readonly record struct AdminPage(long From, int Limit, bool Backwards)
{
    const int Most = 1000, Usual = 100;

    /// <exception cref="Http.MatrixException">400: they are no numbers of the right size.</exception>
    public static AdminPage Read(long? from, int? limit, string? dir)
    {
        if (from < 0 || limit < 0 || dir is not (null or "f" or "b"))
            throw Http.MatrixException.InvalidParam("'from' and 'limit' must not be negative, and 'dir' must be f or b.");
        return new AdminPage(from ?? 0, Math.Min(limit ?? Usual, Most), dir == "b");
    }

    /// <summary>The next <c>from</c>, if there is more.</summary>
    public string? Next(long total) => From + Limit < total && Limit > 0 ? (From + Limit).ToString(System.Globalization.CultureInfo.InvariantCulture) : null;
}
