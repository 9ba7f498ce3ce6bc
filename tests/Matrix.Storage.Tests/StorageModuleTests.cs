using Matrix.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Matrix.Storage.Tests;

public sealed class StorageModuleTests
{
    [Fact]
    public async Task A_host_starts_with_the_schema_in_place()
    {
        await using var database = await TestDatabase.CreateEmpty();
        using var host = Build(database.ConnectionString, ("server_name", "one.example"));
        await host.StartAsync(TestContext.Current.CancellationToken);
        Assert.Equal("one.example", await host.Services.GetRequiredService<NpgsqlDataSource>().GetOne<string>("SELECT server_name FROM server"));
    }

    [Fact]
    public async Task A_database_of_another_server_is_told_as_a_mistake_in_the_configuration()
    {
        await using var database = await TestDatabase.Create();
        await ServerIdentity.Claim(database.Db, "one.example");
        using var host = Build(database.ConnectionString, ("server_name", "two.example"));
        var refusal = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync());
        Assert.StartsWith("server_name: The database was made for", Assert.Single(refusal.Failures), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_that_does_not_exist_is_told_as_a_mistake_in_the_configuration()
    {
        using var host = Build(await TestServices.Postgres, ("database:args:database", "no_such_database"));
        var refusal = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync());
        Assert.StartsWith("database.args: ", Assert.Single(refusal.Failures), StringComparison.Ordinal);
    }

    [Fact]
    public void Values_that_do_not_fit_are_told_all_at_once_by_their_keys()
    {
        using var host = Build("Host=x", ("database:args:port", "many"), ("database:args:cp_max", "1"));
        var refusal = Assert.Throws<OptionsValidationException>(() => host.Services.GetRequiredService<IOptions<DatabaseOptions>>().Value);
        Assert.Equal(["database.args.port", "database.args.cp_max"], refusal.Failures.Select(failure => failure.Split(':')[0]));
    }

    [Theory, InlineData("yes", true), InlineData("On", true), InlineData("no", false), InlineData("0", false)]
    public void A_flag_is_written_as_in_other_sections(string text, bool meant)
    {
        using var host = Build("Host=x", ("database:auto_migrate", text));
        Assert.Equal(meant, host.Services.GetRequiredService<IOptions<SchemaOptions>>().Value.AutoMigrate);
    }

    [Fact]
    public void What_is_no_flag_is_told_as_in_other_sections()
    {
        using var host = Build("Host=x", ("database:auto_migrate", "perhaps"));
        var refusal = Assert.Throws<OptionsValidationException>(() => host.Services.GetRequiredService<IOptions<SchemaOptions>>().Value);
        Assert.Equal("database.auto_migrate: 'perhaps' is not true or false", Assert.Single(refusal.Failures));
    }

    [Fact]
    public void The_database_may_be_called_dbname()
    {
        using var host = Build("Host=x", ("database:args:dbname", "synapse"));
        Assert.Contains("synapse", host.Services.GetRequiredService<IOptions<DatabaseOptions>>().Value.ConnectionString, StringComparison.Ordinal);
    }

    static IHost Build(string connectionString, params (string Key, string Value)[] settings)
    {
        var connection = new NpgsqlConnectionStringBuilder(connectionString);
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["database:args:host"] = connection.Host,
            ["database:args:port"] = $"{connection.Port}",
            ["database:args:user"] = connection.Username,
            ["database:args:password"] = connection.Password,
            ["database:args:database"] = connection.Database,
        });
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)));
        builder.Services.AddStorage(builder.Configuration);
        return builder.Build();
    }
}
