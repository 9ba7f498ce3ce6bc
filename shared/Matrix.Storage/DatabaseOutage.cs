using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Matrix.Storage;

/// <summary>
/// Postgres is away: said in one line every ten seconds, however many requests and loops find out. Whoever catches a failure that <see cref="IsOne"/>
/// reports it here instead of logging it.
/// </summary>
public sealed partial class DatabaseOutage(TimeProvider time, ILogger<DatabaseOutage> logger)
{
    static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    readonly Lock gate = new();
    long? began;
    long? answeredAt;
    long saidAt;
    int failures;

    /// <summary>Is it the server that is away or has no room (connections, memory, time) for the statement, rather than the statement that is wrong?</summary>
    public static bool IsOne([NotNullWhen(true)] Exception? exception) => exception switch
    {
        null => false,
        PostgresException postgres => postgres.SqlState[..2] is "08" or "53" || postgres.SqlState is PostgresErrorCodes.AdminShutdown
            or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow or PostgresErrorCodes.QueryCanceled
            or PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.ReadOnlySqlTransaction,
        NpgsqlException driver => driver.IsTransient || IsOne(driver.InnerException),
        _ => IsOne(exception.InnerException),
    };

    public void Failed(Exception exception)
    {
        lock (gate)
        {
            failures++;
            answeredAt = null;
            var now = time.GetTimestamp();
            if (began is not null && time.GetElapsedTime(saidAt, now) < Pause)
                return;
            began ??= now;
            var reason = Reason(exception);
            Away(reason, failures);
            (saidAt, failures) = (now, 0);
        }
    }

    /// <summary>Has Postgres answered so lately, and not failed since, that there is no need to ask?</summary>
    public bool HasAnsweredWithin(TimeSpan span)
    {
        lock (gate)
            return answeredAt is { } at && time.GetElapsedTime(at) < span;
    }

    /// <summary>Postgres has answered.</summary>
    public void Over()
    {
        lock (gate)
        {
            answeredAt = time.GetTimestamp();
            if (began is not { } at)
                return;
            var seconds = time.GetElapsedTime(at).TotalSeconds;
            Back(seconds);
            (began, failures) = (null, 0);
        }
    }

    static string Reason(Exception exception) => exception is not NpgsqlException && exception.InnerException is { } inner ? Reason(inner) : exception.Message;

    [LoggerMessage(Level = LogLevel.Error, Message = "Postgres is away: {Reason} ({Failures} failures since this was last said)")]
    partial void Away(string reason, int failures);

    [LoggerMessage(Level = LogLevel.Information, Message = "Postgres answers again, after {Seconds:0.0} s")]
    partial void Back(double seconds);
}
