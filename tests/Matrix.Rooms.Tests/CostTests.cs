using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms.Writing;

namespace Matrix.Rooms.Tests;

/// <summary>What writing costs in round trips to the database.</summary>
public sealed class CostTests : NodeTests
{
    static readonly UserId Alice = RoomNode.User("alice");

    [Fact]
    public async Task A_message_takes_one_round_trip_on_warm_caches()
    {
        var room = await node.CreateRoom(Alice);
        await node.Writer.Send(room, RoomNode.Text(Alice, "warm"), null, default);

        using var statements = new StatementCounter(database.Name);
        for (var i = 0; i < 20; i++)
            await node.Writer.Send(room, RoomNode.Text(Alice, "hi"), new TransactionId(Alice, DeviceId.Parse("D"), $"t{i}"), default);
        Assert.Equal(20, statements.Writes);
        Assert.Empty(statements.Others);
    }

    [Fact]
    public async Task State_takes_one_round_trip_on_warm_caches()
    {
        var room = await node.CreateRoom(Alice);
        using var statements = new StatementCounter(database.Name);
        for (var i = 0; i < 20; i++)
            await node.Writer.Send(room, EventDraft.State(Alice, EventTypes.Topic, "", RoomNode.Json(new { topic = $"{i}" })), null, default);
        Assert.Equal(20, statements.Writes);
        Assert.Empty(statements.Others);
    }

    [Fact]
    public async Task A_room_is_created_in_one_commit()
    {
        await node.CreateRoom(Alice);
        using var statements = new StatementCounter(database.Name);
        await node.Creator.Create(new RoomCreation { Creator = Alice, Name = "n", Invite = [RoomNode.User("bob"), RoomNode.User("carol")] }, default);
        Assert.Equal(1, statements.Writes);
        Assert.True(statements.Others.Count <= 1, string.Join("\n", statements.Others)); // the profiles
    }

    [Fact]
    public async Task A_writer_that_has_heard_of_another_process_does_not_try_in_vain()
    {
        await using var other = await RoomNode.Start(database);
        var room = await node.CreateRoom(Alice);
        await other.Writer.Send(room, RoomNode.Text(Alice, "I know the room"), null, default);
        var sent = await node.Writer.Send(room, RoomNode.Text(Alice, "news"), null, default);
        await other.Get<LogFollower>().WaitFor(sent.Position, default);

        using var statements = new StatementCounter(database.Name);
        await other.Writer.Send(room, RoomNode.Text(Alice, "I heard"), null, default);
        Assert.Equal(1, statements.Writes);
        Assert.Single(statements.Others); // the head
    }

    [Fact]
    public async Task Who_sends_while_others_are_being_committed_does_not_wait_for_them_to_plan()
    {
        var room = await node.CreateRoom(Alice);
        await node.Writer.Send(room, RoomNode.Text(Alice, "warm"), null, default);
        using var statements = new StatementCounter(database.Name);
        Task<SentEvent>[] sends;
        await using (var connection = await node.Db.OpenConnectionAsync())
        await using (var tx = await connection.BeginTransactionAsync())
        {
            // nothing is committed as long as the log's lock is held
            await new Npgsql.NpgsqlCommand("SELECT position FROM log_head FOR UPDATE", connection, tx).ExecuteNonQueryAsync();
            sends = [.. Enumerable.Range(0, 30).Select(i => node.Writer.Send(room, RoomNode.Text(Alice, $"{i}"), null, default))];
            var planned = node.Get<RoomHeads>();
            using (await planned.Enter((await node.Room(room)).RoomNid, default))
            {
                // the last of those who came before has planned
            }
            await tx.RollbackAsync();
        }
        await Task.WhenAll(sends);
        Assert.InRange(statements.Writes, 1, 3);
        Assert.DoesNotContain(statements.Others, sql => sql.Contains("room_heads", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_new_name_is_shown_in_a_hundred_rooms_in_a_few_round_trips_even_on_cold_caches()
    {
        await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => node.CreateRoom(Alice)));
        await node.Db.CreateCommand(
            "INSERT INTO users (user_id, localpart_ci, display_name) VALUES ('@alice:test.example', 'alice', 'Alice')").ExecuteNonQueryAsync();
        await using var fresh = await RoomNode.Start(database);
        using var statements = new StatementCounter(database.Name);
        await fresh.Membership.UpdateProfile(Alice, default);
        var shown = await node.Db.CreateCommand("SELECT count(*) FROM memberships WHERE display_name = 'Alice'").ExecuteScalarAsync();
        Assert.Equal(100L, shown);
        TestContext.Current.TestOutputHelper?.WriteLine($"{statements.Writes} commits, {statements.Others.Count} reads");
        Assert.InRange(statements.Writes, 2, 40);
        Assert.InRange(statements.Others.Count, 1, 30);
    }
}
