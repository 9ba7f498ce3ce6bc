using System.Globalization;
using System.Text.Json;
using Matrix.ClientApi.Tests.Sync;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Matrix.ClientApi.Tests.History;

/// <summary>
/// What a page of a big room costs, in statements and in rows that Postgres touches: the same however big the room is. MATRIX_TEST_BIG_ROOM says how
/// many events it has.
/// </summary>
public sealed class BigRoomTests : IAsyncLifetime
{
    static readonly int Events = int.Parse(Environment.GetEnvironmentVariable("MATRIX_TEST_BIG_ROOM") ?? "20000", CultureInfo.InvariantCulture);

    MatrixServer server = null!;
    string database = "";

    NpgsqlDataSource Db => server.Services.GetRequiredService<NpgsqlDataSource>();

    [Fact]
    public async Task A_page_is_one_statement_on_a_warm_cache_and_touches_what_it_shows()
    {
        var (alice, room) = await server.UserInRoom();
        await Fill(room, "m.room.message");
        var from = (await alice.Messages(room, limit: 50)).String("end");
        await alice.Messages(room, from, limit: 50);
        using var counter = new StatementCounter(database);
        var page = await alice.Messages(room, from, limit: 50);
        Assert.Equal(50, page["chunk"].Items().Count);
        var walk = Assert.Single(counter.Statements);
        Assert.InRange(await Buffers(walk, room), 1, 200);
    }

    [Fact]
    public async Task What_relates_to_the_events_of_a_page_costs_nothing_on_a_warm_cache_and_no_statement_for_each_event_on_a_cold_one()
    {
        var (alice, room) = await server.UserInRoom();
        for (var i = 0; i < 5; i++)
        {
            var root = await alice.Say(room, $"root {i}");
            await RelationTests.Edit(alice, room, await RelationTests.Reply(alice, room, root, "reply"), "edited");
            await RelationTests.Edit(alice, room, root, "edited");
        }
        var from = (await alice.Messages(room, limit: 1)).String("end");
        using var counter = new StatementCounter(database);
        await alice.Messages(room, from, limit: 50);
        Assert.InRange(counter.Statements.Count, 1, 8);
        counter.Clear();
        Assert.Contains("latest_event", (await alice.Messages(room, from, limit: 50)).Text);
        Assert.Single(counter.Statements);
        counter.Clear();
        await alice.Event(room, (await alice.Messages(room, from, limit: 1))["chunk"][0].String("event_id"));
        Assert.InRange(counter.Statements.Count, 1, 2);
    }

    [Fact]
    public async Task What_came_before_one_joined_is_skipped_and_not_read()
    {
        var alice = await server.NewUser();
        var bob = await server.NewUser();
        var room = await alice.CreateRoom(new
        {
            preset = "private_chat",
            initial_state = new[] { new { type = "m.room.history_visibility", state_key = "", content = new { history_visibility = "joined" } } },
        });
        await alice.Invite(room, bob);
        await bob.Join(room);
        await alice.Say(room, "of the first stay");
        await bob.Leave(room);
        await Fill(room, "m.room.message");
        await alice.Invite(room, bob);
        await bob.Join(room);
        await alice.Say(room, "of the second stay");

        using var counter = new StatementCounter(database);
        var page = await bob.Messages(room, limit: 50);
        Assert.Equal(["of the second stay", "of the first stay"], page["chunk"].Items().Bodies());
        Assert.InRange(counter.Statements.Count, 1, 12);
    }

    [Fact]
    public async Task A_filter_that_lets_little_pass_is_answered_by_bounded_work()
    {
        var (alice, room) = await server.UserInRoom();
        var rare = await alice.Send(room, "org.example.rare", new { });
        await Fill(room, "m.room.message");
        var found = new List<string>();
        var requests = 0;
        for (string? from = null; ; requests++)
        {
            using var counter = new StatementCounter(database);
            var page = await alice.Messages(room, from, limit: 50, filter: new { types = new[] { "org.example.r*" } });
            Assert.InRange(counter.Statements.Count, 0, 6);
            found.AddRange(page["chunk"].Items().Select(e => e.String("event_id")));
            if ((from = page.Json.Find("end")?.GetString()) is null)
                break;
        }
        Assert.Equal([rare.EventId], found);
        Assert.InRange(requests, (Events / 10_000) - 1, (Events / 10_000) + 1);
    }

    /// <summary>Puts many events into a room's timeline at once. The log, which has no holes, tells nobody of them.</summary>
    async Task Fill(string room, string type)
    {
        await using var connection = await Db.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var fill = new NpgsqlCommand(
            """
            WITH head AS (UPDATE log_head SET position = position + @count RETURNING position - @count AS position),
                last AS (SELECT e.* FROM events e JOIN rooms r USING (room_nid) WHERE r.room_id = @room AND e.position IS NOT NULL ORDER BY e.position DESC LIMIT 1),
                told AS (INSERT INTO log (position, kind) SELECT head.position + n, 9 FROM head, generate_series(1, @count) n)
            INSERT INTO events (event_nid, event_id, room_nid, position, depth, type, sender, origin_server_ts, json, state_before, room_state)
            SELECT 1000000000 + head.position + n, '$bulk' || head.position + n, last.room_nid, head.position + n, last.depth, @type, '@bulk:x', last.origin_server_ts + n,
                convert_to(format(
                    '{"auth_events":[],"content":{"body":"%s","msgtype":"m.text"},"depth":9,"hashes":{"sha256":"x"},"origin_server_ts":%s,'
                    '"prev_events":[],"room_id":"%s","sender":"@bulk:x","signatures":{},"type":"%s"}',
                    n, last.origin_server_ts + n, @room, @type), 'UTF8'),
                last.room_state, last.room_state
            FROM head, last, generate_series(1, @count) n
            """, connection) { CommandTimeout = 0 };
        fill.Parameters.AddWithValue("count", Events);
        fill.Parameters.AddWithValue("room", room);
        fill.Parameters.AddWithValue("type", type);
        await fill.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        await using var analyze = new NpgsqlCommand("ANALYZE events", connection);
        await analyze.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>The pages that the statement reads for a page of the middle of the room.</summary>
    async Task<long> Buffers(string statement, string room)
    {
        var nid = (long)(await Scalar("SELECT room_nid FROM rooms WHERE room_id = $1", room))!;
        var middle = (long)(await Scalar("SELECT (min(position) + max(position)) / 2 FROM events WHERE room_nid = $1", nid))!;
        await using var command = Db.CreateCommand($"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}");
        foreach (var value in new object[] { nid, new[] { long.MinValue }, new[] { middle }, 51 })
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        var plan = JsonDocument.Parse((string)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!).RootElement[0].GetProperty("Plan");
        return plan.GetProperty("Shared Hit Blocks").GetInt64() + plan.GetProperty("Shared Read Blocks").GetInt64();
    }

    async Task<object?> Scalar(string sql, object value)
    {
        await using var command = Db.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter { Value = value });
        return await command.ExecuteScalarAsync(TestContext.Current.CancellationToken);
    }

    public async ValueTask InitializeAsync() => server = await MatrixServer.Start(configuration => database = configuration["database:args:database"]!);

    public ValueTask DisposeAsync() => server.DisposeAsync();
}
