using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Matrix.Storage;

/// <summary>Waits for Postgres, applies the migrations (or checks that somebody did) and checks whose database it is, before the host starts anything else.</summary>
sealed partial class DatabaseStartup(
    NpgsqlDataSource db, IConfiguration configuration, IOptions<SchemaOptions> options, ILogger<DatabaseStartup> logger, TimeProvider time)
    : IHostedLifecycleService
{
    static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    public async Task StartingAsync(CancellationToken ct)
    {
        while (true)
        {
            try
            {
                await Prepare(ct);
                break;
            }
            catch (SchemaMismatchException e)
            {
                throw Refuse("database", e.Message);
            }
            catch (PostgresException e) when (e.SqlState.StartsWith("28", StringComparison.Ordinal) || e.SqlState == PostgresErrorCodes.InvalidCatalogName)
            {
                throw Refuse("database.args", e.MessageText); // no such account, or no such database: waiting does not help
            }
            catch (NpgsqlException e) when (e.IsTransient)
            {
                NotThere(e.Message);
                await Task.Delay(Pause, time, ct);
            }
        }
        if (configuration["server_name"] is { } name)
            await Claim(name, ct);
    }

    async Task Prepare(CancellationToken ct)
    {
        if (!options.Value.AutoMigrate)
        {
            await SchemaWindow.Check(db, ct);
            return;
        }
        await SchemaWindow.CheckNotTooNew(db, ct);
        foreach (var file in await Migrations.Apply(db, ct))
            Migrated(file);
    }

    async Task Claim(string name, CancellationToken ct)
    {
        try
        {
            await ServerIdentity.Claim(db, name, ct);
        }
        catch (WrongServerException e)
        {
            throw Refuse("server_name", e.Message);
        }
    }

    // Like every other mistake in the configuration: told in a line, not in a stack trace.
    static OptionsValidationException Refuse(string key, string reason) => new(key, typeof(DatabaseOptions), [$"{key}: {reason}"]);

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
