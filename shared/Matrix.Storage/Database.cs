using System.Data;
using Dapper;
using Npgsql;

namespace Matrix.Storage;

/// <summary>
/// The verbs of the stores over the injected <see cref="NpgsqlDataSource"/>: plain SQL, <c>@name</c> parameters from the members of
/// <c>args</c>, rows as records whose members are the snake_case columns. Each call takes a connection of the pool for one round trip.
/// </summary>
public static class Database
{
    /// <summary>The first row, or null when there is none. Ask for <c>long?</c>, not <c>long</c>, where a row may be missing.</summary>
    public static async Task<T?> FindOne<T>(this NpgsqlDataSource db, string sql, object? args = null, CancellationToken ct = default)
    {
        await using var connection = await db.OpenConnectionAsync(ct);
        try
        {
            return await connection.QueryFirstOrDefaultAsync<T>(Command(sql, args, null, ct));
        }
        catch
        {
            ForgetPrepared(connection);
            throw;
        }
    }

    /// <summary>Several statements in one round trip.</summary>
    public static async Task<T> Read<T>(
        this NpgsqlDataSource db, Action<NpgsqlBatch> add, Func<NpgsqlDataReader, CancellationToken, Task<T>> read, CancellationToken ct)
    {
        TypeHandlers.Register();
        await using var connection = await db.OpenConnectionAsync(ct);
        try
        {
            await using var batch = new NpgsqlBatch(connection);
            add(batch);
            await using var reader = await batch.ExecuteReaderAsync(ct);
            return await read(reader, ct);
        }
        catch
        {
            ForgetPrepared(connection);
            throw;
        }
    }

    /// <summary>The only row; throws when there is none or more than one.</summary>
    public static async Task<T> GetOne<T>(this NpgsqlDataSource db, string sql, object? args = null, CancellationToken ct = default)
    {
        await using var connection = await db.OpenConnectionAsync(ct);
        try
        {
            return await connection.QuerySingleAsync<T>(Command(sql, args, null, ct));
        }
        catch
        {
            ForgetPrepared(connection);
            throw;
        }
    }

    /// <summary>All rows, in the order of the query.</summary>
    public static async Task<IReadOnlyList<T>> List<T>(
        this NpgsqlDataSource db, string sql, object? args = null, CancellationToken ct = default)
    {
        await using var connection = await db.OpenConnectionAsync(ct);
        try
        {
            return (await connection.QueryAsync<T>(Command(sql, args, null, ct))).AsList();
        }
        catch
        {
            ForgetPrepared(connection);
            throw;
        }
    }

    /// <summary>Runs the statement and returns how many rows it changed.</summary>
    public static async Task<int> Execute(this NpgsqlDataSource db, string sql, object? args = null, CancellationToken ct = default)
    {
        await using var connection = await db.OpenConnectionAsync(ct);
        try
        {
            return await connection.ExecuteAsync(Command(sql, args, null, ct));
        }
        catch
        {
            ForgetPrepared(connection);
            throw;
        }
    }

    /// <summary>For work across stores. The caller commits; disposing without a commit rolls back.</summary>
    public static async Task<DatabaseTransaction> BeginTransaction(this NpgsqlDataSource db, CancellationToken ct = default)
    {
        var connection = await db.OpenConnectionAsync(ct);
        try
        {
            return new DatabaseTransaction(await connection.BeginTransactionAsync(ct));
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Adds a command with positional parameters (<c>$1</c>, <c>$2</c>, …), the form that costs no parsing. Identifiers are sent as text.
    /// </summary>
    public static NpgsqlBatchCommand Add(this NpgsqlBatch batch, string sql, params ReadOnlySpan<object?> args)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var arg in args)
            command.Parameters.Add(new NpgsqlParameter { Value = TypeHandlers.ToDatabase(arg) });
        batch.BatchCommands.Add(command);
        return command;
    }

    /// <summary>
    /// A statement that fails while the driver prepares it is remembered by the driver as one that returns no rows (npgsql issue 6391), and the next to run it
    /// on this connection would find rows where it expects none.
    /// </summary>
    static void ForgetPrepared(NpgsqlConnection connection)
    {
        if (connection.State != ConnectionState.Open)
            return;
        try
        {
            connection.UnprepareAll();
        }
        catch (NpgsqlException)
        {
            // the connection is gone, and what was prepared with it
        }
    }

    internal static CommandDefinition Command(string sql, object? args, NpgsqlTransaction? tx, CancellationToken ct)
    {
        TypeHandlers.Register();
        return new CommandDefinition(sql, args, tx, commandType: CommandType.Text, cancellationToken: ct);
    }
}
