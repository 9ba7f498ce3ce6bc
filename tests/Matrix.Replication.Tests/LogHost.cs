using Matrix.Storage;
using Matrix.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Matrix.Replication.Tests;

/// <summary>One process' share of the log, in this process.</summary>
sealed class LogHost(IHost host) : IAsyncDisposable
{
    public LogWriter Writer => host.Services.GetRequiredService<LogWriter>();

    public LogFollower Follower => host.Services.GetRequiredService<LogFollower>();

    public IServiceProvider Services => host.Services;

    public static async Task<LogHost> Start(TestDatabase database, Action<IHostApplicationBuilder>? configure = null, bool inProcess = true)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.AddConsole().SetMinimumLevel(LogLevel.Error);
        builder.Configuration.AddInMemoryCollection(DatabaseSettings(database.ConnectionString));
        configure?.Invoke(builder);
        builder = inProcess ? builder.AddReplicationInProcess() : builder.AddReplication();
        var host = builder.Build();
        await host.StartAsync();
        await host.Services.GetRequiredService<LogFollower>().Started;
        return new LogHost(host);
    }

    public static Dictionary<string, string?> DatabaseSettings(string connectionString)
    {
        var connection = new NpgsqlConnectionStringBuilder(connectionString);
        return new()
        {
            ["database:args:host"] = connection.Host,
            ["database:args:port"] = $"{connection.Port}",
            ["database:args:user"] = connection.Username,
            ["database:args:password"] = connection.Password,
            ["database:args:database"] = connection.Database,
        };
    }

    public Task<LogPosition> Append(LogChange change) => Writer.Append(change, TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        await host.StopAsync();
        if (host is IAsyncDisposable disposable)
            await disposable.DisposeAsync();
    }
}

/// <summary>A change that stores its id with its position, so that losses and doubles show.</summary>
sealed class Note(Guid id, int entries = 1, string? extraSql = null) : LogChange
{
    public const string Schema = "CREATE TABLE IF NOT EXISTS notes (id uuid NOT NULL, n int NOT NULL, position bigint NOT NULL, UNIQUE (id, n))";

    public override IReadOnlyList<LogEntryDraft> Entries { get; } =
        [.. Enumerable.Range(0, entries).Select(n => new LogEntryDraft(LogKind.AccountData, UserId: "@a:x", Key: $"{id}/{n}"))];

    public override void AddCommands(NpgsqlBatch batch, Func<int, int> back)
    {
        for (var n = 0; n < Entries.Count; n++)
            batch.Add("INSERT INTO notes (id, n, position) VALUES ($1, $2, log_position($3))", id, n, back(n));
        if (extraSql is not null)
            batch.Add(extraSql);
    }

    /// <summary>All notes as <c>id/n</c>, by position.</summary>
    public static Task<IReadOnlyList<string>> List(NpgsqlDataSource db) => db.List<string>("SELECT id || '/' || n FROM notes ORDER BY position");
}
