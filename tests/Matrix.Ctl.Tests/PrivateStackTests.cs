using System.Net.Sockets;
using Matrix.LocalStack;
using Npgsql;

namespace Matrix.Ctl.Tests;

public sealed class PrivateStackTests : IAsyncDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("matrix-stack-").FullName;

    StackOptions PostgresOnly => new() { DataFolder = folder, Durable = false, RabbitMq = false, Redis = false };

    public PrivateStackTests() => File.SetUnixFileMode(folder, File.GetUnixFileMode(folder) | UnixFileMode.OtherExecute | UnixFileMode.GroupExecute);

    public ValueTask DisposeAsync()
    {
        return new(PrivateStack.Remove(folder, default));
    }

    [Fact]
    public async Task All_parts_answer_and_nothing_is_left_after_the_stop()
    {
        List<RunRecord> records;
        await using (var stack = await PrivateStack.Start(new() { DataFolder = folder, Durable = false }, default))
        {
            records = [.. Directory.GetFiles(Path.Combine(folder, "run"), "*.json").Select(file => RunRecord.Find(file)!)];
            Assert.Equal(["epmd", "postgres", "rabbitmq", "redis"], records.Select(record => record.Name).Order());
            Assert.All(records, record => Assert.True(record.Process.IsAlive));
            await using var connection = new NpgsqlConnection(stack.Postgres!.PostgresConnection() + ";Pooling=false");
            await connection.OpenAsync();
        }
        Assert.All(records, record => Assert.False(record.Process.IsAlive));
        Assert.Empty(Directory.GetFiles(Path.Combine(folder, "run"), "*.json"));
    }

    [Fact]
    public async Task A_second_start_has_the_same_address_and_the_same_data()
    {
        StackEndpoint first;
        await using (var stack = await PrivateStack.Start(PostgresOnly, default))
        {
            first = stack.Postgres!;
            await Execute(first, "CREATE TABLE kept (x int)");
        }
        await using (var stack = await PrivateStack.Start(PostgresOnly, default))
        {
            Assert.Equal(first, stack.Postgres);
            await Execute(first, "SELECT x FROM kept");
        }
    }

    [Fact]
    public async Task A_port_that_somebody_else_has_taken_is_left_to_them()
    {
        int port;
        await using (var stack = await PrivateStack.Start(PostgresOnly, default)) port = stack.Postgres!.Port;
        using var other = new TcpListener(System.Net.IPAddress.Loopback, port);
        other.Start();

        await using var again = await PrivateStack.Start(PostgresOnly, default);

        Assert.NotEqual(port, again.Postgres!.Port);
        await Execute(again.Postgres, "SELECT 1");
    }

    [Fact]
    public async Task A_start_takes_over_from_one_that_was_killed()
    {
        var left = await PrivateStack.Start(PostgresOnly, default);
        var record = RunRecord.Find(PrivateStack.RecordFile(folder, "postgres"))!;
        record.Process.Kill();
        await record.Process.Exited(TimeSpan.FromSeconds(5), default);
        // as after a restart of a container, when the id in Postgres' lock is another process's
        var lockFile = Directory.GetFiles(folder, "postmaster.pid", SearchOption.AllDirectories).Single();
        var lines = await File.ReadAllLinesAsync(lockFile);
        await File.WriteAllLinesAsync(lockFile, lines.Skip(1).Prepend($"{Environment.ProcessId}"));
        await left.DisposeAsync();

        await using var again = await PrivateStack.Start(PostgresOnly, default);

        await Execute(again.Postgres!, "SELECT 1");
    }

    [Fact]
    public async Task A_half_made_database_cluster_is_made_again()
    {
        Directory.CreateDirectory(Path.Combine(folder, "postgres", "data.new", "base"));
        await File.WriteAllTextAsync(Path.Combine(folder, "postgres", "data.new", "PG_VERSION"), "1");

        await using var stack = await PrivateStack.Start(PostgresOnly, default);

        await Execute(stack.Postgres!, "SELECT 1");
        Assert.False(Directory.Exists(Path.Combine(folder, "postgres", "data.new")));
    }

    [Fact]
    public async Task One_folder_is_used_by_one_stack_at_a_time()
    {
        await using var stack = await PrivateStack.Start(PostgresOnly, default);

        var refusal = await Assert.ThrowsAsync<StackException>(() => PrivateStack.Start(PostgresOnly, default));

        Assert.Contains(folder, refusal.Message, StringComparison.Ordinal);
        await Execute(stack.Postgres!, "SELECT 1");
    }

    static async Task Execute(StackEndpoint postgres, string sql)
    {
        await using var connection = new NpgsqlConnection(postgres.PostgresConnection() + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
