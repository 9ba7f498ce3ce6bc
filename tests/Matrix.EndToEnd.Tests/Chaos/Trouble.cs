using System.Collections.Concurrent;
using System.Net;

namespace Matrix.EndToEnd.Tests.Chaos;

/// <summary>A request that did not end as it should have.</summary>
public sealed record Failed(TimeSpan At, string Request, string Reason, bool IsTold);

/// <summary>
/// What went wrong, and when. An error is told when it says that it will pass: 503 or 429 with a time to come again. A connection that broke off over the
/// process that died is neither told nor a lie; it is counted apart.
/// </summary>
public sealed class Trouble(TimeProvider time)
{
    readonly long _began = time.GetTimestamp();
    readonly ConcurrentQueue<Failed> _failed = new();
    long _requests;

    public IReadOnlyList<Failed> Failed => [.. _failed];

    public long Requests => Interlocked.Read(ref _requests);

    public TimeSpan Now => time.GetElapsedTime(_began);

    public void Count() => Interlocked.Increment(ref _requests);

    public void Refused(string request, HttpResponseMessage response, string body) => _failed.Enqueue(new(Now, request, $"{(int)response.StatusCode} {body}",
        response.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests && (response.Headers.RetryAfter is not null || body.Contains("retry_after", StringComparison.Ordinal))));

    public void Broken(string request, Exception e) => _failed.Enqueue(new(Now, request, $"{e.GetType().Name}: {e.Message} {e.InnerException?.Message}", false));

    public IReadOnlyList<Failed> Since(TimeSpan from) => [.. _failed.Where(failed => failed.At >= from)];
}
