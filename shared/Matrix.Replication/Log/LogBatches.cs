using System.Diagnostics;
using Matrix.Storage;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Matrix.Replication;

/// <summary>
/// Commits one batch after another on a connection of its own. Each batch has a number that is stored by the batch itself; after a lost
/// connection the writer forbids that number (so that a straggler in the server cannot commit it any more) and reads whether it had been
/// committed. So a batch is always known to be committed once or not at all before its changes are tried again.
/// </summary>
sealed partial class LogBatches(NpgsqlDataSource db, LogWriterOptions options, DatabaseOutage outage, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    const string FencedState = "MX002";

    readonly Guid _writer = Guid.CreateVersion7();
    NpgsqlConnection? _connection;
    long _batch;        // the last number used
    bool _inDoubt;      // was the batch _batch committed? Must be known before the next one.

    /// <summary>Commits the changes in one transaction and one round trip, and returns the position of the last entry.</summary>
    /// <exception cref="BatchException">Nothing was committed, or, if it is final, the outcome could not be found out in time.</exception>
    public async Task<LogPosition> Commit(IReadOnlyList<PendingChange> changes, CancellationToken abandon)
    {
        var connection = await Connect(abandon);
        await using var batch = LogBatch.Build(connection, changes, _writer, _batch + 1, options.BatchTimeout);
        _batch++;
        var started = Stopwatch.GetTimestamp();
        try
        {
            var position = await batch.Execute();
            ReplicationMetrics.CommitTook(Stopwatch.GetElapsedTime(started));
            return position;
        }
        catch (PostgresException e) when (connection.State == System.Data.ConnectionState.Open)
        {
            // The server answered with an error: it rolled the whole transaction back.
            throw await Failed(e, batch.Culprit);
        }
        catch (Exception e)
        {
            _inDoubt = true;
            await Disconnect();
            OutcomeUnknown(_batch, e.Message);
            if (await Resolve(abandon) is { } committed)
                return committed;
            throw new BatchException(e, culprit: null, isFinal: false);
        }
    }

    string ApplicationName => $"log-writer {_writer}";

    public async ValueTask DisposeAsync()
    {
        if (_connection is { } connection && !_inDoubt)
        {
            try
            {
                await using var forget = new NpgsqlCommand("DELETE FROM log_writers WHERE writer = $1", connection);
                forget.Parameters.Add(new NpgsqlParameter { Value = _writer });
                await forget.ExecuteNonQueryAsync();
            }
            catch (NpgsqlException e)
            {
                NotForgotten(e);
            }
        }
        await Disconnect();
    }

    async Task<BatchException> Failed(PostgresException e, int? culprit)
    {
        if (e.SqlState == FencedState)
            await Disconnect(); // our row was cleaned away as abandoned: the next connection writes it anew
        var lockIsHeld = culprit is null && e.SqlState is (PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.QueryCanceled);
        return lockIsHeld
            ? new BatchException(new LogUnavailableException("The log's lock was not to be had.", mayBeStored: false, e), null, isFinal: true)
            : new BatchException(e, culprit, isFinal: false);
    }

    async Task<NpgsqlConnection> Connect(CancellationToken abandon)
    {
        if (_inDoubt)
            await Resolve(abandon);
        return _connection ?? await Retry(Open, mayBeStored: false, abandon);
    }

    async Task<NpgsqlConnection> Open(CancellationToken ct)
    {
        var connection = await db.OpenConnectionAsync(ct);
        try
        {
            // Whatever happens to this process, the server lets go of the log's lock within seconds.
            await using var batch = connection.CreateBatch();
            var milliseconds = (long)options.LockTimeout.TotalMilliseconds;
            foreach (var setting in (string[])[$"application_name = '{ApplicationName}'", $"lock_timeout = {milliseconds}", $"statement_timeout = {milliseconds}",
                $"idle_in_transaction_session_timeout = {milliseconds}", "tcp_keepalives_idle = 5", "tcp_keepalives_interval = 2",
                "tcp_keepalives_count = 3"])
                batch.Add("SET " + setting);
            batch.Add("""
                INSERT INTO log_writers (writer, batch, position, fenced, seen_at) VALUES ($1, 0, 0, 0, now())
                ON CONFLICT (writer) DO UPDATE SET seen_at = now()
                """, _writer);
            batch.Add("DELETE FROM log_writers WHERE seen_at < now() - interval '30 days' AND writer <> $1", _writer);
            await batch.ExecuteNonQueryAsync(ct);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
        return _connection = connection;
    }

    /// <summary>The position of the batch in doubt if it was committed; null if it was not, and never will be.</summary>
    async Task<LogPosition?> Resolve(CancellationToken abandon)
    {
        var committed = await Retry<LogPosition?>(async ct =>
        {
            await Disconnect();
            var connection = await Open(ct);
            await using var batch = connection.CreateBatch();
            // The old connection's server process may still be at work. It is ended; should it be committing at this moment,
            // the update waits for it.
            batch.Add("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 AND pid <> pg_backend_pid()",
                ApplicationName);
            batch.Add("UPDATE log_writers SET fenced = $2 WHERE writer = $1 RETURNING batch, position", _writer, _batch);
            await using var reader = await batch.ExecuteReaderAsync(ct);
            await reader.NextResultAsync(ct);
            if (!await reader.ReadAsync(ct))
                throw new InvalidOperationException("This log writer's row is gone.");
            return reader.GetInt64(0) == _batch ? new LogPosition(reader.GetInt64(1)) : null;
        }, mayBeStored: true, abandon);
        _inDoubt = false;
        Resolved(_batch, committed is not null);
        return committed;
    }

    async Task<T> Retry<T>(Func<CancellationToken, Task<T>> attempt, bool mayBeStored, CancellationToken abandon)
    {
        using var patience = new CancellationTokenSource(options.Patience, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, abandon);
        while (true)
        {
            try
            {
                return await attempt(both.Token);
            }
            catch (Exception e) when (e is NpgsqlException or OperationCanceledException or InvalidOperationException or IOException)
            {
                await Disconnect();
                if (both.IsCancellationRequested)
                    throw new BatchException(new LogUnavailableException("The database does not answer.", mayBeStored, e), null, isFinal: true);
                outage.Failed(e);
            }
            await Task.Delay(options.ReconnectPause, time, CancellationToken.None);
        }
    }

    async Task Disconnect()
    {
        if (_connection is not { } connection)
            return;
        _connection = null;
        NpgsqlConnection.ClearPool(connection); // with its session settings it must not serve others
        await connection.DisposeAsync();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Lost the connection during batch {Batch}; finding out whether it was committed: {Reason}")]
    partial void OutcomeUnknown(long batch, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Batch {Batch} was committed: {Committed}")]
    partial void Resolved(long batch, bool committed);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The log writer's row stays behind")]
    partial void NotForgotten(Exception cause);
}
