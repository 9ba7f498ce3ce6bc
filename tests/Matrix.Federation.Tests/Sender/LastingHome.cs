using Matrix.Federation.Tests.Harness;
using Matrix.Protocol;
using Matrix.Testing;
using Npgsql;

namespace Matrix.Federation.Tests.Sender;

/// <summary>What stays of a server that ends, for the next one to go on with: its name, its key and its database.</summary>
sealed class LastingHome : IAsyncDisposable
{
    readonly FederatedServers servers;
    readonly TestDatabase database;
    readonly string key = Path.GetTempFileName();
    string? name;

    LastingHome(FederatedServers servers, TestDatabase database) => (this.servers, this.database) = (servers, database);

    public static async Task<LastingHome> Create(FederatedServers servers)
    {
        var home = new LastingHome(servers, await TestDatabase.Create());
        await File.WriteAllTextAsync(home.key, SigningKey.Generate("kept").FormatFile(), TestContext.Current.CancellationToken);
        return home;
    }

    public Task<MatrixServer> Start(Action<Dictionary<string, string?>>? configure = null) => servers.Start(configuration =>
    {
        configure?.Invoke(configuration);
        configuration["database:args:database"] = new NpgsqlConnectionStringBuilder(database.ConnectionString).Database;
        configuration["signing_key_path"] = key;
        configuration["server_name"] = name ??= configuration["server_name"];
    });

    /// <summary>Nobody else reads or writes a table, until this is disposed of.</summary>
    public async Task<IAsyncDisposable> Lock(string table)
    {
        var connection = new NpgsqlConnection(database.ConnectionString + ";Pooling=false"); // closing it ends the transaction
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand($"BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE", connection);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        return connection;
    }

    /// <summary>Until somebody waits for a table.</summary>
    public async Task UntilWaited(string table)
    {
        await using var command = database.Db.CreateCommand(
            $"SELECT EXISTS (SELECT FROM pg_locks JOIN pg_database d ON d.oid = database WHERE datname = current_database() AND relation = '{table}'::regclass AND NOT granted)");
        await Eventually.True($"somebody waits for {table}", async () => await command.ExecuteScalarAsync(TestContext.Current.CancellationToken) is true);
    }

    public async ValueTask DisposeAsync()
    {
        await database.DisposeAsync();
        File.Delete(key);
    }
}
