using Dapper;
using Npgsql;

namespace Matrix.Storage;

/// <summary>A transaction with the verbs of <see cref="Database"/>. The caller owns it; stores take it as their first argument.</summary>
public sealed class DatabaseTransaction(NpgsqlTransaction tx) : IAsyncDisposable
{
    readonly NpgsqlConnection connection = tx.Connection ?? throw new ArgumentException("The transaction is over.", nameof(tx));

    /// <summary>For what the verbs cannot do: COPY, batches.</summary>
    public NpgsqlConnection Connection => connection;

    /// <inheritdoc cref="Database.FindOne"/>
    public Task<T?> FindOne<T>(string sql, object? args = null, CancellationToken ct = default) =>
        connection.QueryFirstOrDefaultAsync<T>(Database.Command(sql, args, tx, ct));

    /// <inheritdoc cref="Database.GetOne"/>
    public Task<T> GetOne<T>(string sql, object? args = null, CancellationToken ct = default) =>
        connection.QuerySingleAsync<T>(Database.Command(sql, args, tx, ct));

    /// <inheritdoc cref="Database.List"/>
    public async Task<IReadOnlyList<T>> List<T>(string sql, object? args = null, CancellationToken ct = default) =>
        (await connection.QueryAsync<T>(Database.Command(sql, args, tx, ct))).AsList();

    /// <inheritdoc cref="Database.Execute"/>
    public Task<int> Execute(string sql, object? args = null, CancellationToken ct = default) =>
        connection.ExecuteAsync(Database.Command(sql, args, tx, ct));

    /// <summary>Runs commands that are made for a batch, in one round trip.</summary>
    public async Task Execute(Action<NpgsqlBatch> commands, CancellationToken ct = default)
    {
        await using var batch = new NpgsqlBatch(connection, tx);
        commands(batch);
        await batch.ExecuteNonQueryAsync(ct);
    }

    public Task CommitAsync(CancellationToken ct = default) => tx.CommitAsync(ct);

    /// <summary>Rolls back what was not committed and returns the connection to the pool.</summary>
    public async ValueTask DisposeAsync()
    {
        await tx.DisposeAsync();
        await connection.DisposeAsync();
    }
}
