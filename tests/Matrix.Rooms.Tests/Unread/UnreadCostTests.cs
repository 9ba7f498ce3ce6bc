using System.Diagnostics;
using System.Globalization;
using System.Text;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms.Unread;
using Matrix.Rooms.Writing;
using Matrix.Storage;
using Matrix.Storage.Rooms;
using Matrix.Storage.Sync;

namespace Matrix.Rooms.Tests.Unread;

/// <summary>
/// What unread counts cost. The processor time of sending and reading is only printed, and only with <c>MATRIX_TEST_UNREAD_COST=long</c>: no bar would hold beside
/// other tests of the process.
/// </summary>
public sealed class UnreadCostTests(ITestOutputHelper output) : NodeTests
{
    static readonly UserId Alice = RoomNode.User("alice");

    [Theory]
    [InlineData(2, 0)]
    [InlineData(30, 0)]
    [InlineData(30, 20)]
    public async Task Evaluating_push_rules_costs_little_and_asks_the_database_nothing(int members, int withRules)
    {
        var room = await Room(members, withRules);
        var head = (await node.Get<RoomStore>().FindHead(room.RoomNid, default))!;
        var chain = new EventChain(node.Get<EventBuilding>(), room, head);
        await chain.Add(Text(Alice, "hello"), default);
        var notices = node.Get<EventNotices>();
        using var statements = new StatementCounter(database.Name);
        for (var i = 0; i < 200; i++)
            await notices.Of(chain, default);
        const int Rounds = 2000;
        var (cpu, bytes) = (Process.GetCurrentProcess().TotalProcessorTime, GC.GetAllocatedBytesForCurrentThread());
        for (var i = 0; i < Rounds; i++)
            await notices.Of(chain, default);
        cpu = Process.GetCurrentProcess().TotalProcessorTime - cpu;
        bytes = GC.GetAllocatedBytesForCurrentThread() - bytes;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{members} members, {withRules} with rules: {cpu.TotalMicroseconds / Rounds:F1} µs, {bytes / Rounds} bytes an event"));
        Assert.Empty(statements.Others);
        Assert.True(bytes / Rounds < 20_000);
    }

    [Fact]
    public async Task Sending_and_reading_cost_what_they_print()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("MATRIX_TEST_UNREAD_COST") == "long", "MATRIX_TEST_UNREAD_COST=long measures, on a machine that does nothing else.");
        var room = await Room(10, 0);
        var bob = RoomNode.User("user1").ToString();
        var sent = new List<SentEvent>();
        await Measure("message", async i => sent.Add(await node.Writer.Send(room.RoomId, Text(RoomNode.User($"user{1 + (i % 9)}"), "hello"), null, default)));
        await Measure("receipt", i => node.Get<LogWriter>().Append(
            new ReceiptMoved(new Receipt(room.RoomNid, bob, "m.read", "main", sent[i].EventId.ToString(), 1, 0), sent[i].Position.Value), default));
        await Measure("counts of a room, cold", _ => node.Get<UnreadStore>().List("@user2:test.example", [room.RoomNid], default));
    }

    async Task Measure(string what, Func<int, Task> act)
    {
        const int Rounds = 300;
        for (var i = 0; i < 50; i++)
            await act(i);
        var (own, database) = (Process.GetCurrentProcess().TotalProcessorTime, await DatabaseTime());
        for (var i = 50; i < Rounds + 50; i++)
            await act(i);
        own = Process.GetCurrentProcess().TotalProcessorTime - own;
        database = await DatabaseTime() - database;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{what}: {own.TotalMilliseconds / Rounds:F3} ms here, {database.TotalMilliseconds / Rounds:F3} ms in Postgres"));
    }

    /// <summary>The processor time of this database's connections; zero where Postgres runs elsewhere.</summary>
    async Task<TimeSpan> DatabaseTime()
    {
        var ticks = 0L;
        foreach (var pid in await node.Db.List<int>("SELECT pid FROM pg_stat_activity WHERE datname = current_database()", null, default))
        {
            var file = $"/proc/{pid}/stat";
            if (!File.Exists(file))
                continue;
            var fields = (await File.ReadAllTextAsync(file)).Split(") ")[^1].Split(' ');
            ticks += long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
        }
        return TimeSpan.FromMilliseconds(10 * ticks);
    }

    [Fact]
    public async Task An_ordinary_message_writes_rows_for_its_sender_alone()
    {
        var room = await Room(20, 10);
        var before = await Rows();
        await node.Writer.Send(room.RoomId, Text(Alice, "hello"), null, default);
        await node.Writer.Send(room.RoomId, Text(Alice, "hello again"), null, default);
        Assert.Equal((before.Marks + 2, before.Reads), await Rows());

        async Task<(long Marks, long Reads)> Rows() => (
            await node.Db.GetOne<long>("SELECT count(*) FROM unread_marks", null, default), await node.Db.GetOne<long>("SELECT count(*) FROM room_reads", null, default));
    }

    [Fact]
    public async Task Counts_of_many_rooms_are_one_query_when_cold_and_none_when_warm()
    {
        var bob = RoomNode.User("bob");
        var (ids, rooms) = (new List<RoomId>(), new List<long>());
        for (var i = 0; i < 5; i++)
        {
            var room = await node.CreateRoom(Alice, RoomPreset.PublicChat);
            await node.Membership.Join(room, new MembershipRequest(bob), default);
            await node.Writer.Send(room, Text(Alice, "x"), null, default);
            ids.Add(room);
            rooms.Add((await node.Room(room)).RoomNid);
        }
        var counts = node.Get<UnreadCounts>();
        using var statements = new StatementCounter(database.Name);
        Assert.All((await counts.Get(bob.ToString(), rooms, default)).Values, room => Assert.Equal(new UnreadCount(1, 0), room.Total));
        Assert.Single(statements.Others);
        var sent = await node.Writer.Send(ids[0], Text(Alice, "y"), null, default);
        await node.Get<LogFollower>().WaitFor(sent.Position, default);
        Assert.Equal(new UnreadCount(2, 0), (await counts.Get(bob.ToString(), rooms, default))[rooms[0]].Total);
        Assert.Single(statements.Others);
    }

    async Task<Room> Room(int members, int withRules)
    {
        var room = await node.CreateRoom(Alice, RoomPreset.PublicChat);
        for (var i = 1; i < members; i++)
        {
            var user = RoomNode.User($"user{i}");
            await node.Membership.Join(room, new MembershipRequest(user), default);
            if (i <= withRules)
            {
                var rules = new PushRuleset { Room = [new PushRule { RuleId = room.ToString() }], Content = [new PushRule { RuleId = "k", Pattern = $"key{i % 5}" }] };
                await node.Get<PushRuleChanges>().Set(user, $$"""{"global":{{Encoding.UTF8.GetString(rules.ToJson())}}}""", 0, default);
            }
        }
        await node.Writer.Send(room, Text(Alice, "warm"), null, default);
        return await node.Room(room);
    }

    static EventDraft Text(UserId sender, string body) => EventDraft.Message(
        sender, EventTypes.Message, RoomNode.Json(new Dictionary<string, object> { ["msgtype"] = "m.text", ["body"] = body, ["m.mentions"] = new { } }));
}
