using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Matrix.Replication;

/// <summary>How long the log is kept.</summary>
public sealed class LogPurgeOptions
{
    /// <summary>
    /// How long what was written for followers of the log is kept: a process that was stopped for less can go on. Clients need none of it, and what pushers and
    /// other servers have not been told yet stays in any case.
    /// </summary>
    [Range(typeof(TimeSpan), "01:00:00", "3650.00:00:00")] public TimeSpan LogRetention { get; init; } = TimeSpan.FromDays(7);
}

/// <summary>Deletes entries of the log that nobody will read. One replica does it, in small steps that hold up nobody.</summary>
public sealed partial class LogPurge(NpgsqlDataSource db, Leases leases, LogPurgeOptions options, TimeProvider time, ILogger<LogPurge> logger) : BackgroundService
{
    const int AtOnce = 5000;

    static readonly TimeSpan Every = TimeSpan.FromMinutes(30), Pause = TimeSpan.FromMilliseconds(200), TakeoverAfter = TimeSpan.FromMinutes(2);

    /// <summary>Deletes what is old enough now. Returns how many entries.</summary>
    public async Task<long> Purge(CancellationToken ct)
    {
        var upTo = await Mark(ct);
        for (long total = 0; ;)
        {
            var deleted = await Delete(upTo, ct);
            total += deleted;
            if (deleted < AtOnce)
                return total;
            await Task.Delay(Pause, time, ct);
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => leases.Hold("log-purge", TakeoverAfter, (_, ct) => Work(ct), stoppingToken);

    async Task Work(CancellationToken ct)
    {
        while (true)
        {
            await Task.Delay(Every, time, ct);
            try
            {
                if (await Purge(ct) is > 0 and var deleted)
                    Purged(deleted);
            }
            catch (NpgsqlException e)
            {
                Failed(e.Message);
            }
        }
    }

    /// <summary>Entries have no time of their own, so where the log is now is noted; answers up to where it may be deleted.</summary>
    async Task<long> Mark(CancellationToken ct)
    {
        await using var command = db.CreateCommand(
            """
            WITH mark AS (INSERT INTO log_times (position) SELECT position FROM log_head),
            old AS (SELECT max(position) AS position FROM log_times WHERE taken_at < now() - $1),
            forgotten AS (DELETE FROM log_times USING old WHERE log_times.position < old.position)
            SELECT CASE WHEN old.position IS NULL THEN 0 ELSE least(old.position, log_floor()) END FROM old
            """);
        command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = options.LogRetention });
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }

    async Task<int> Delete(long upTo, CancellationToken ct)
    {
        await using var command = db.CreateCommand(
            "DELETE FROM log WHERE position IN (SELECT position FROM log WHERE position <= $1 ORDER BY position LIMIT $2)");
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = upTo });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = AtOnce });
        return await command.ExecuteNonQueryAsync(ct);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Deleted {Count} old entries of the log")]
    partial void Purged(long count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Old entries of the log could not be deleted, and will be later: {Reason}")]
    partial void Failed(string reason);
}
