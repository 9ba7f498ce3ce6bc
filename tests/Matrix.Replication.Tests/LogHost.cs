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
