using Matrix.Storage;
using Npgsql;

namespace Matrix.Testing;

/// <summary>A database of its own for one test or one class of tests, with the whole schema; dropped at the end.</summary>
public sealed class TestDatabase : IAsyncDisposable
{
    const long TemplateLock = 0x4d61747269780002;

    // one template for each build of the schema, so that a kept server does not serve an old one
    static readonly string Template = $"matrix_template_{typeof(Migrations).Assembly.ManifestModule.ModuleVersionId:N}";
    static readonly Lazy<Task> template = new(CreateTemplate);

    TestDatabase(string name, string connectionString) =>
        (Name, ConnectionString, Db) = (name, connectionString, NpgsqlDataSource.Create(connectionString));

    public string Name { get; }
    public string ConnectionString { get; }

    /// <summary>Connected to this database, with the pool of one test.</summary>
    public NpgsqlDataSource Db { get; }

    /// <summary>A database with every migration applied, copied from a template.</summary>
    public static async Task<TestDatabase> Create(CancellationToken ct = default)
    {
        await template.Value;
        return await Create($"TEMPLATE {Template}", ct);
    }

    /// <summary>A database without any table.</summary>
    public static Task<TestDatabase> CreateEmpty(CancellationToken ct = default) =>
        Create("TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'", ct);

    public async ValueTask DisposeAsync()
    {
        await Db.DisposeAsync();
        await using var server = await OpenServer(default);
        await Run(server, $"DROP DATABASE IF EXISTS {Name} WITH (FORCE)", default);
    }

    static async Task<TestDatabase> Create(string from, CancellationToken ct)
    {
        var name = $"test_{Guid.NewGuid():N}";
        await using var server = await OpenServer(ct);
        await Run(server, $"CREATE DATABASE {name} {from}", ct);
        return new(name, await ConnectionTo(name) + ";Maximum Pool Size=20");
    }

    /// <summary>Made under another name and renamed when it is complete; several test processes may try at once.</summary>
    static async Task CreateTemplate()
    {
        await using var server = await OpenServer(default);
        await Run(server, $"SELECT pg_advisory_lock({TemplateLock})", default);
        await using var find = new NpgsqlCommand($"SELECT 1 FROM pg_database WHERE datname = '{Template}'", server);
        if (await find.ExecuteScalarAsync() is not null) return;
        await using (var unfinished = await CreateEmpty())
        {
            await using (var db = NpgsqlDataSource.Create(unfinished.ConnectionString + ";Pooling=false"))
                await Migrations.Apply(db);
            await Run(server, $"ALTER DATABASE {unfinished.Name} RENAME TO {Template}", default);
        }
    }

    static async Task<NpgsqlConnection> OpenServer(CancellationToken ct)
    {
        // without a pool, so that closing it also gives back the advisory lock
        var connection = new NpgsqlConnection(await TestServices.Postgres + ";Pooling=false");
        await connection.OpenAsync(ct);
        return connection;
    }

    static async Task<string> ConnectionTo(string database) =>
        new NpgsqlConnectionStringBuilder(await TestServices.Postgres) { Database = database }.ConnectionString;

    static async Task Run(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(ct);
    }
}
