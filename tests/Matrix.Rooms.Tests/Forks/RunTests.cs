using System.Globalization;
using System.Text;
using System.Text.Json;
using Matrix.Protocol;
using Matrix.Protocol.Tests;
using Matrix.Storage;
using Matrix.Storage.Rooms;
using Matrix.Testing;
using Npgsql;

namespace Matrix.Rooms.Tests.Forks;

/// <summary>Events of other servers that are taken together are what they would be one by one.</summary>
public sealed class RunTests() : NodeTests("example.org")
{
    const string Eve = "@eve:far.example", Zoe = "@zoe:far.example";
    static readonly UserId Alice = UserId.Parse("@alice:example.org"), Bob = UserId.Parse("@bob:example.org");

    /// <summary>MATRIX_TEST_ROOMS: so many rooms, and of an older version too.</summary>
    static readonly string? s_rooms = Environment.GetEnvironmentVariable("MATRIX_TEST_ROOMS");

    public static TheoryData<string> Versions => s_rooms is null ? ["10", "12"] : ["6", "10", "12"];

    [Theory, MemberData(nameof(Versions))]
    public async Task A_busy_room_becomes_the_same_one_by_one_and_in_transactions_of_any_size(string version)
    {
        var rules = RoomVersions.Find(version)!;
        await using var database = await TestDatabase.Create();
        await using var other = await RoomNode.Start(database, "example.org");
        var seen = new HashSet<Reception>();
        for (var seed = 1; seed <= int.Parse(s_rooms ?? "1", CultureInfo.InvariantCulture); seed++)
        {
            var busy = new BusyRoom(seed, rules, 120);
            var alone = await node.Receiver.AddRoom(busy.Events[0].RoomId, rules, default);
            var together = await other.Receiver.AddRoom(busy.Events[0].RoomId, rules, default);
            var (one, many) = (new List<ReceivedEvent>(), new List<ReceivedEvent>());
            foreach (var pdu in busy.Events)
                one.Add(await node.Receiver.Receive(alone, pdu, null, default));
            var random = new Random(seed);
            while (many.Count < busy.Events.Count)
                many.AddRange(await Together(other, together, [.. busy.Events.Skip(many.Count).Take(random.Next(1, 60))]));
            seen.UnionWith(busy.Expected);
            Assert.Equal(busy.Expected, one.Select(e => e.Reception));
            Assert.Equal(busy.Expected, many.Select(e => e.Reception));
            Assert.Equal(await RoomTables.Read(node, alone), await RoomTables.Read(other, together));
            Assert.Equal(busy.Naive.Current.OrderBy(e => e.Key.ToString()), (await RoomTables.State(other, together)).OrderBy(e => e.Key.ToString()));
            // of an event at which branches meet, the position is that of the last entry that tells of it
            var timeline = await other.Timeline(together.RoomId);
            var told = many.Where(e => e.Position.Value != 0).ToList();
            Assert.Equal(timeline.Select(e => e.EventId), told.Select(e => e.EventId));
            Assert.All(told.Zip(timeline.Zip([.. timeline.Skip(1).Select(e => e.Position!.Value), long.MaxValue])), pair =>
                Assert.InRange(pair.First.Position.Value, pair.Second.First.Position!.Value, pair.Second.Second - 1));
            await RoomInvariants.Check(node, alone);
            await RoomInvariants.Check(other, together);
        }
        Assert.Equal([Reception.Accepted, Reception.SoftFailed, Reception.Rejected], seen.Order());
    }

    [Fact]
    public async Task Processes_that_receive_the_same_events_at_once_agree_on_them()
    {
        var busy = new BusyRoom(3, RoomVersions.Find("10")!, 150);
        await using var other = await RoomNode.Start(database, "example.org");
        var room = await node.Receiver.AddRoom(busy.Events[0].RoomId, RoomVersions.Find("10")!, default);
        await Task.WhenAll(Together(node, room, busy.Events), Together(other, room, busy.Events));
        var timeline = await node.Timeline(room.RoomId);
        Assert.Equal(timeline.Count, timeline.Select(e => e.EventId).Distinct().Count());
        await RoomInvariants.Check(node, room);
    }

    [Fact]
    public async Task A_commit_that_fails_loses_nothing()
    {
        var script = await Script.Begin(node);
        Pdu[] events = [script.Text(Eve, "1"), script.Text(Eve, "2"), script.Text(Eve, "poison"), script.Text(Eve, "4"), script.Text(Eve, "5")];
        await node.Db.Execute("ALTER TABLE events ADD CONSTRAINT no_poison CHECK (position(convert_to('poison', 'UTF8') IN json) = 0)", new { });
        var received = new List<ReceivedEvent>();
        await Assert.ThrowsAsync<PostgresException>(async () =>
        {
            await foreach (var some in node.Receiver.ReceiveAll(script.Room, events, default))
                received.AddRange(some);
        });
        Assert.Equal(events.Take(2).Select(pdu => pdu.EventId), received.Select(e => e.EventId));
        Assert.Equal(events[1].EventId, (await node.Timeline(script.Room.RoomId))[^1].EventId);

        await node.Db.Execute("ALTER TABLE events DROP CONSTRAINT no_poison", new { });
        Assert.All(await Together(script.Room, events), e => Assert.Equal(Reception.Accepted, e.Reception));
        Assert.Equal(events.Select(pdu => pdu.EventId), (await node.Timeline(script.Room.RoomId)).TakeLast(5).Select(e => e.EventId));
        await RoomInvariants.Check(node, script.Room);
    }

    [Fact]
    public async Task Fifty_messages_take_one_commit_and_two_reads()
    {
        var script = await Script.Begin(node);
        await Together(script.Room, [script.Text(Eve, "warm")]);
        Pdu[] messages = [.. Enumerable.Range(0, 50).Select(i => script.Text(Eve, $"{i}"))];
        using var statements = new StatementCounter(database.Name);
        var received = await Together(script.Room, messages);
        Assert.Equal(1, statements.Writes);
        Assert.True(statements.Others.Count <= 2, string.Join("\n", statements.Others));
        var timeline = await node.Timeline(script.Room.RoomId);
        Assert.Equal(messages.Select(pdu => pdu.EventId), timeline.TakeLast(50).Select(e => e.EventId));
        Assert.Equal(timeline.TakeLast(50).Select(e => e.Position!.Value), received.Select(e => e.Position.Value));
    }

    [Fact]
    public async Task What_users_of_this_server_are_notified_of_is_the_same_as_one_by_one()
    {
        var (alone, together) = (await Script.Begin(node), await Script.Begin(node));
        foreach (var pdu in alone.Play())
            Assert.Equal(Reception.Accepted, (await node.Receiver.Receive(alone.Room, pdu, null, default)).Reception);
        Assert.All(await Together(together.Room, together.Play()), received => Assert.Equal(Reception.Accepted, received.Reception));
        Assert.Equal(await alone.Told(), await together.Told());
        await RoomInvariants.Check(node, alone.Room);
        await RoomInvariants.Check(node, together.Room);
    }

    [Fact]
    public async Task What_is_forbidden_or_lacks_something_ends_a_run_and_nothing_before_it_is_lost()
    {
        var script = await Script.Begin(node);
        var (first, second) = (script.Text(Eve, "1"), script.Text(Eve, "2"));
        var forbidden = script.Text("@stranger:far.example", "not here", leads: false);
        var third = script.Text(Eve, "3");
        _ = script.Text(Eve, "never sent");
        var received = await Together(script.Room, [first, second, forbidden, third, script.Text(Eve, "4"), script.Text(Eve, "5")]);
        Assert.Equal(
            [Reception.Accepted, Reception.Accepted, Reception.Rejected, Reception.Accepted, Reception.MissingPrevEvents], received.Select(e => e.Reception));
        Assert.Equal(third.EventId, (await node.Timeline(script.Room.RoomId))[^1].EventId);
    }

    Task<List<ReceivedEvent>> Together(Room room, IReadOnlyList<Pdu> pdus) => Together(node, room, pdus);

    static async Task<List<ReceivedEvent>> Together(RoomNode node, Room room, IReadOnlyList<Pdu> pdus)
    {
        var all = new List<ReceivedEvent>();
        await foreach (var some in node.Receiver.ReceiveAll(room, pdus, default))
            all.AddRange(some);
        return all;
    }

    /// <summary>A room in which another server's user has all the power, and what happens in it, made before any of it is sent.</summary>
    sealed class Script(RoomNode node, Room room, StoredEvent last, Dictionary<StateKeyPair, EventId> state)
    {
        readonly List<Pdu> made = [];
        EventId end = last.EventId;
        long depth = last.Depth;

        public Room Room => room;

        public static async Task<Script> Begin(RoomNode node)
        {
            var roomId = await node.CreateRoom(Alice, RoomPreset.PublicChat, "10");
            var room = await node.Room(roomId);
            await node.Membership.Join(roomId, new(Bob), default);
            await new RemoteRoom(node, room).Receive(EventTypes.Member, Eve, Eve, """{"membership":"join"}""");
            await node.Writer.Send(roomId, EventDraft.State(Alice, EventTypes.PowerLevels, "", RoomNode.Json(new { users = Powers(100) })), null, default);
            var entries = await node.State.ReadAll(await node.State.CurrentRoot(room.RoomNid, default), default);
            var events = await node.Events.Get([.. entries.Select(e => e.EventNid)], default);
            return new Script(node, room, (await node.Timeline(roomId))[^1], entries.ToDictionary(e => e.Key, e => events[e.EventNid].EventId));
        }

        static Dictionary<string, int> Powers(int eve) => new() { [Alice.ToString()] = 100, [Eve] = eve };

        public Pdu Text(string sender, string body, bool leads = true) => Add("m.room.message", null, sender, new { msgtype = "m.text", body }, leads);

        public List<Pdu> Play()
        {
            Text(Eve, "hello");
            Add(EventTypes.Name, "", Eve, new { name = "a name" });
            Add("m.room.message", null, Eve, new JsonContent("""{"body":"bob","m.mentions":{"user_ids":["@bob:example.org"]}}"""));
            Add(EventTypes.Member, Zoe, Zoe, new { membership = "join" });
            var root = Text(Zoe, "a root");
            Add("m.room.message", null, Eve, Related("m.thread", root));
            var threaded = Add("m.room.message", null, Zoe, Related("m.thread", root));
            Add("m.reaction", null, Eve, Related("m.annotation", threaded));
            Add("m.room.message", null, Eve, Related("m.replace", threaded));
            Add("m.room.redaction", null, Eve, new { redacts = root.EventId.ToString() }, redacts: root.EventId);
            Text(Eve, "all");
            Add("m.room.message", null, Zoe, new JsonContent("""{"body":"all","m.mentions":{"room":true}}"""));
            Add(EventTypes.PowerLevels, "", Eve, new { users = Powers(99), notifications = new { room = 0 } });
            Add("m.room.message", null, Zoe, new JsonContent("""{"body":"all","m.mentions":{"room":true}}"""));
            Add(EventTypes.Member, Bob.ToString(), Eve, new { membership = "leave" });
            Text(Eve, "without bob");
            return made;
        }

        /// <summary>What the log and the counts say of the room, with the places of the script's events for their ids.</summary>
        public async Task<string> Told()
        {
            var log = await node.Db.List<string>(
                """
                SELECT concat_ws('|', kind, user_id, key, note, related) FROM log
                WHERE room_nid = @nid AND position > @from ORDER BY position
                """, new { nid = room.RoomNid, from = last.Position });
            var marks = await node.Db.List<string>(
                """
                SELECT concat_ws('|', u.user_id, thread_id, e.event_id, notified, highlighted, ordinarily_notified, ordinarily_highlighted)
                FROM unread_marks u JOIN events e USING (room_nid, position) WHERE room_nid = @nid ORDER BY u.user_id, u.position
                """, new { nid = room.RoomNid });
            var relations = await node.Db.List<string>(
                "SELECT concat_ws('|', e.event_id, rel_type) FROM event_relations r JOIN events e USING (event_nid) WHERE e.room_nid = @nid ORDER BY e.position",
                new { nid = room.RoomNid });
            var text = new StringBuilder(string.Join('\n', [.. log, "", .. marks, "", .. relations]));
            foreach (var (i, pdu) in made.Index())
                text.Replace(pdu.EventId.ToString(), $"${i}");
            return text.ToString();
        }

        Pdu Add(string type, string? stateKey, string sender, object content, bool leads = true, EventId? redacts = null)
        {
            var json = content is JsonContent text ? Encoding.UTF8.GetBytes(text.Json) : JsonSerializer.SerializeToUtf8Bytes(content);
            var user = UserId.Parse(sender);
            var pdu = new PduBuilder
            {
                Type = type, StateKey = stateKey, Sender = user, RoomId = room.RoomId, Content = json, PrevEvents = [end], Depth = depth + 1, OriginServerTs = 1_700_000_000_000,
                AuthEvents = [.. AuthEvents.KeysFor(type, stateKey, user, JsonElement.Parse(json), room.Rules).Where(state.ContainsKey).Select(key => state[key])],
                Redacts = redacts,
            }.Build(room.Rules, user.Server, TestRoom.Key);
            if (leads)
            {
                made.Add(pdu);
                (end, depth) = (pdu.EventId, pdu.Depth);
                if (stateKey is not null)
                    state[new StateKeyPair(type, stateKey)] = pdu.EventId;
            }
            return pdu;
        }

        static JsonContent Related(string type, Pdu target) => new JsonContent(
            $$$"""{"body":"about","m.relates_to":{"rel_type":"{{{type}}}","event_id":"{{{target.EventId}}}","key":"+"},"m.new_content":{"body":"edited"}}""");

        sealed record JsonContent(string Json);
    }
}
