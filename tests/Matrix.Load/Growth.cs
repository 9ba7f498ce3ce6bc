using System.Globalization;
using Npgsql;

namespace Matrix.Load;

/// <summary>
/// What one more account, room, join, message and receipt cost in Postgres: makes many of one kind, sees how much the database has grown, and does all of it a
/// second time, when the server is twice as large, to show whether the cost grows.
/// </summary>
sealed class Growth(Target target, string database, int scale) : IDisposable
{
    const int Rounds = 2;
    readonly HomeserverClient _client = new(target);
    readonly NpgsqlDataSource _db = NpgsqlDataSource.Create(database);
    readonly string _run = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds().ToString("x", CultureInfo.InvariantCulture);

    public async Task Run(CancellationToken ct)
    {
        Console.WriteLine("| one more | of | bytes at first | bytes of the next as many |\n|---|---|---|---|");
        var rows = new List<(string What, int Count, List<double> Bytes)>();
        for (var round = 0; round < Rounds; round++)
        {
            var users = new User[500 * scale];
            await Measure("account with a device", users.Length, async i => users[i] = await _client.Register($"grow{_run}x{round}x{i}", "load-password", ct));
            var rooms = new string[200 * scale];
            await Measure("public room with a name, just made", rooms.Length, async i => rooms[i] = await _client.CreateRoom(users[i], ct, isPublic: true));
            await Measure("join", 2000 * scale, i => _client.Join(users[(i / 10 + i % 10 + 1) % users.Length], rooms[i / 10 % rooms.Length], ct));
            var events = new string[10_000 * scale];
            await Measure("message of 75 characters", events.Length, async i => events[i] = await _client.Send(users[i % rooms.Length], rooms[i % rooms.Length], Words(i), ct));
            await Measure("read receipt, each newer than the last", 5000 * scale, i => _client.Receipt(users[i % rooms.Length], rooms[i % rooms.Length], events[i], ct));
            await Measure("change of a display name in a room", 1000 * scale, i => _client.SetDisplayName(users[i % users.Length], $"Name {i}", ct));

            async Task Measure(string what, int count, Func<int, Task> make)
            {
                var before = await Size(ct);
                await Crowd.Each(count, make);
                var bytes = (await Size(ct) - before) / (double)count;
                if (round == 0) rows.Add((what, count, []));
                rows.First(row => row.What == what).Bytes.Add(bytes);
            }
        }
        foreach (var (what, count, bytes) in rows)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {what} | {count:N0} | {string.Join(" | ", bytes.Select(one => one.ToString("N0", CultureInfo.InvariantCulture)))} |"));
        Console.WriteLine();
        await foreach (var line in Largest(ct)) Console.WriteLine(line);
    }

    // followers write too, a little later
    async Task<long> Size(CancellationToken ct)
    {
        await target.Settle(ct);
        await using var command = _db.CreateCommand("SELECT pg_database_size(current_database())");
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }

    async IAsyncEnumerable<string> Largest([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        await using var command = _db.CreateCommand(
            """
            SELECT relname, pg_total_relation_size(oid), pg_indexes_size(oid) FROM pg_class
            WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 2 DESC LIMIT 12
            """);
        await using var reader = await command.ExecuteReaderAsync(ct);
        yield return "| largest tables | MiB | of which indexes |\n|---|---|---|";
        while (await reader.ReadAsync(ct))
            yield return string.Create(CultureInfo.InvariantCulture, $"| {reader.GetString(0)} | {reader.GetInt64(1) / 1048576.0:F1} | {reader.GetInt64(2) / 1048576.0:F1} |");
    }

    // as words are: search keeps each once
    static string Words(int i) => string.Create(CultureInfo.InvariantCulture, $"message {i} says that the weather in town {i % 977} is as it was on day {i % 365}, nearly").PadRight(75, '.');

    public void Dispose()
    {
        _client.Dispose();
        _db.Dispose();
    }
}
