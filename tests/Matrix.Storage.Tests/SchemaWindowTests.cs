using Matrix.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Matrix.Storage.Tests;

/// <summary>Which schemas a program takes, and what it says of the others.</summary>
public sealed class SchemaWindowTests
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_service_that_may_not_migrate_refuses_a_schema_that_lacks_something_and_says_what()
    {
        await using var database = await TestDatabase.Create();
        var last = Migrations.Known[^1];
        await database.Db.Execute("DELETE FROM schema_migrations WHERE name = @last", new { last }, Ct);
        var refusal = await Assert.ThrowsAsync<OptionsValidationException>(() => Start(database, autoMigrate: false));
        var failure = Assert.Single(refusal.Failures);
        Assert.StartsWith("database: The schema is too old", failure, StringComparison.Ordinal);
        Assert.Contains($"it lacks {last}.", failure, StringComparison.Ordinal);
        Assert.Contains("matrixctl migrate", failure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_empty_database_is_too_old_too()
    {
        await using var database = await TestDatabase.CreateEmpty();
        var refusal = await Assert.ThrowsAsync<OptionsValidationException>(() => Start(database, autoMigrate: false));
        Assert.Contains("0001_log, 0002_server", Assert.Single(refusal.Failures), StringComparison.Ordinal);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_service_refuses_a_schema_that_needs_a_later_release_and_changes_nothing(bool autoMigrate)
    {
        await using var database = await TestDatabase.Create();
        await database.Db.Execute("UPDATE schema_window SET needs = '9000_of_later'", null, Ct);
        await database.Db.Execute("DELETE FROM schema_migrations WHERE name = @last", new { last = Migrations.Known[^1] }, Ct);
        var refusal = await Assert.ThrowsAsync<OptionsValidationException>(() => Start(database, autoMigrate));
        Assert.Contains("too new", Assert.Single(refusal.Failures), StringComparison.Ordinal);
        Assert.Contains("9000_of_later", Assert.Single(refusal.Failures), StringComparison.Ordinal);
        Assert.DoesNotContain(Migrations.Known[^1], await Migrations.ListApplied(database.Db, Ct));
    }

    /// <summary>The release before, beside the one that has migrated already: it does not know what came, and what came does not need that.</summary>
    [Theory, InlineData(true), InlineData(false)]
    public async Task A_service_runs_on_the_schema_of_the_next_release(bool autoMigrate)
    {
        await using var database = await TestDatabase.Create();
        await database.Db.Execute("INSERT INTO schema_migrations (name) VALUES ('9000_of_later')", null, Ct);
        await Start(database, autoMigrate);
        await SchemaWindow.Check(database.Db, Ct);
    }

    static async Task Start(TestDatabase database, bool autoMigrate)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        var connection = new Npgsql.NpgsqlConnectionStringBuilder(database.ConnectionString);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["server_name"] = "window.example",
            ["database:auto_migrate"] = autoMigrate ? "true" : "false",
            ["database:args:host"] = connection.Host,
            ["database:args:port"] = $"{connection.Port}",
            ["database:args:user"] = connection.Username,
            ["database:args:password"] = connection.Password,
            ["database:args:database"] = connection.Database,
        });
        builder.Services.AddStorage(builder.Configuration);
        using var host = builder.Build();
        await host.StartAsync(Ct);
        await host.StopAsync(Ct);
    }
}
