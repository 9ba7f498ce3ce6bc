using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Matrix.Storage;

/// <summary>Waits for Postgres, applies the migrations and checks whose database it is, before the host starts anything else.</summary>
sealed partial class DatabaseStartup(NpgsqlDataSource db, IConfiguration configuration, ILogger<DatabaseStartup> logger, TimeProvider time)
    : IHostedLifecycleService
{
    static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    public async Task StartingAsync(CancellationToken ct)
    {
        while (true)
        {
            try
            {
                foreach (var file in await Migrations.Apply(db, ct))
                    Migrated(file);
                break;
            }
            catch (NpgsqlException e) when (e.IsTransient)
            {
                NotThere(e.Message);
                await Task.Delay(Pause, time, ct);
            }
        }
        if (configuration["server_name"] is { } name)
            await ServerIdentity.Claim(db, name, ct);
    }

    public Task StartAsync(CancellationToken ct) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken ct) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken ct) => Task.CompletedTask;

    public Task StopAsync(CancellationToken ct) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken ct) => Task.CompletedTask;

    [LoggerMessage(Level = LogLevel.Information, Message = "Applied migration {Name}")]
    partial void Migrated(string name);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The database does not answer yet: {Reason}")]
    partial void NotThere(string reason);
}
