using Matrix.Storage;
using Matrix.Testing;
using Npgsql;

namespace Matrix.Replication.Tests;

/// <summary>Tests of the log of an empty database, and one process that writes and follows it.</summary>
public abstract class LogTests : IAsyncLifetime
{
    private protected TestDatabase _database = null!;
    private protected LogHost _host = null!;

    private protected NpgsqlDataSource Db => _database.Db;

    private protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    public virtual async ValueTask InitializeAsync()
    {
        _database = await TestDatabase.Create();
        await Db.Execute(Note.Schema);
        _host = await LogHost.Start(_database);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        await _database.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private protected Task WaitUntilOneWaitsForTheLock() => Eventually.True("a writer waits for the lock", async () => await Db.GetOne<int>("""
        SELECT count(*)::int FROM pg_stat_activity
        WHERE datname = current_database() AND application_name LIKE 'log-writer%' AND wait_event_type = 'Lock'
        """) > 0);
}
