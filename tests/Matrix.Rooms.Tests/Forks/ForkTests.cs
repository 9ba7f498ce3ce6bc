using Matrix.Protocol;
using Matrix.Protocol.Tests;
using Matrix.Storage.Rooms;
using Matrix.Testing;

namespace Matrix.Rooms.Tests.Forks;

/// <summary>Events of other servers, wherever in a room they belong.</summary>
public sealed class ForkTests() : NodeTests("example.org")
{
    static readonly UserId Alice = UserId.Parse("@alice:example.org");
    static readonly UserId Bob = UserId.Parse("@bob:example.org");

    [Theory]
    [InlineData("1")]
    [InlineData("6")]
    [InlineData("10")]
    [InlineData("12")]
    public async Task A_random_room_becomes_what_the_specification_says_in_whatever_order_its_events_arrive(string version)
    {
        var rules = RoomVersions.Find(version)!;
        for (var seed = 1; seed <= Rooms(2); seed++)
        {
            var pdus = new RandomRoom(seed, rules).Grow(50).Events.Values.Select(e => e.Pdu).ToList();
            await using var database = await TestDatabase.Create();
            await using var node = await RoomNode.Start(database, seed % 2 == 1 ? "example.org" : "far.example");
            var room = await node.Receiver.AddRoom(pdus[0].RoomId, rules, default);
            var naive = new NaiveRoom(rules);
            foreach (var pdu in Shuffle(pdus, new Random(seed)))
            {
                var expected = naive.Receive(pdu);
                var received = await node.Receiver.Receive(room, pdu, null, default);
                Assert.True(expected == received.Reception, $"seed {seed}: {pdu} is {received.Reception} ({received.Reason}), not {expected}");
                Assert.Equal(received.Reception, (await node.Receiver.Receive(room, pdu, null, default)).Reception);
            }
            await AssertLike(naive, node, room, $"seed {seed}");
            await RoomInvariants.Check(node, room);
        }
    }

    [Fact]
    public async Task Processes_that_receive_the_same_events_at_once_agree()
    {
        var rules = RoomVersions.Find("10")!;
        var pdus = new RandomRoom(7, rules).Grow(80).Events.Values.Select(e => e.Pdu).ToList();
        await using var other = await RoomNode.Start(database, "example.org");
        var room = await node.Receiver.AddRoom(pdus[0].RoomId, rules, default);
        await Task.WhenAll(ReceiveAll(node, room, pdus, 1), ReceiveAll(other, room, pdus, 2));

        // what failed softly depends on the order; what is rejected does not
        var timeline = await node.Timeline(room.RoomId);
        Assert.Equal(timeline.Count, timeline.Select(e => e.EventId).Distinct().Count());
        await RoomInvariants.Check(node, room);
    }

    [Fact]
    public async Task A_room_with_many_ends_shrinks_when_somebody_sends()
    {
        var roomId = await node.CreateRoom(Alice, RoomPreset.PublicChat);
        var room = await node.Room(roomId);
        var remote = await RemoteRoom.Follow(node, room);
        var join = await remote.Receive(EventTypes.Member, "@eve:far.example", "@eve:far.example", """{"membership":"join"}""");
        for (var i = 0; i < 30; i++)
            await remote.Receive("m.room.message", null, "@eve:far.example", $$"""{"body":"{{i}}"}""", [join]);
        var heads = node.Get<RoomStore>();
        Assert.Equal(30, (await heads.FindHead(room.RoomNid, default))!.Extremities.Count);

        await node.Writer.Send(roomId, RoomNode.Text(Alice, "one"), null, default);
        Assert.Equal(11, (await heads.FindHead(room.RoomNid, default))!.Extremities.Count);
        await node.Writer.Send(roomId, RoomNode.Text(Alice, "two"), null, default);
        Assert.Single((await heads.FindHead(room.RoomNid, default))!.Extremities);
        await RoomInvariants.Check(node, room);
    }

    [Fact]
    public async Task A_merge_that_takes_a_member_away_is_told_to_the_member()
    {
        var roomId = await node.CreateRoom(Alice, RoomPreset.PublicChat);
        var room = await node.Room(roomId);
        var remote = await RemoteRoom.Follow(node, room);
        var before = (await node.Get<RoomStore>().FindHead(room.RoomNid, default))!.Extremities[0].EventId;
        await node.Membership.Join(roomId, new(Bob), default);
        Assert.Equal(2, (await node.Summary(roomId)).JoinedCount);

        // on a branch of which Bob's join knows nothing, the room was closed to him
        await remote.Receive(EventTypes.Member, Bob.ToString(), Alice.ToString(), """{"membership":"ban"}""", [before]);

        Assert.Equal("ban", await node.MembershipOf(roomId, Bob));
        Assert.Equal(1, (await node.Summary(roomId)).JoinedCount);
        var told = await node.Db.CreateCommand(
            "SELECT count(*) FROM log WHERE kind = 30 AND user_id = '@bob:example.org' AND key = 'ban'").ExecuteScalarAsync();
        Assert.Equal(1L, told);
        await RoomInvariants.Check(node, room);
    }

    [Fact]
    public async Task What_is_missing_is_named_and_the_state_before_can_be_given()
    {
        var rules = RoomVersions.Find("10")!;
        var pdus = new RandomRoom(3, rules).Grow(40).Events.Values.Select(e => e.Pdu).ToList();
        var room = await node.Receiver.AddRoom(pdus[0].RoomId, rules, default);
        var first = await node.Receiver.Receive(room, pdus[4], null, default);
        Assert.Equal(Reception.MissingAuthEvents, first.Reception);
        Assert.Equal(pdus[4].AuthEvents, first.Missing);

        // the last first: outliers may come in any order
        await node.Receiver.StoreOutliers(room, [.. pdus.Take(4).Reverse().Take(2)], default);
        await node.Receiver.StoreOutliers(room, [.. pdus.Take(4)], default);
        var second = await node.Receiver.Receive(room, pdus[4], null, default);
        Assert.Equal(Reception.MissingPrevEvents, second.Reception);
        Assert.Equal(pdus[4].PrevEvents, second.Missing);

        var third = await node.Receiver.Receive(room, pdus[4], [.. pdus.Take(4).Select(pdu => pdu.EventId)], default);
        Assert.Equal(Reception.Accepted, third.Reception);
        var missing = await node.Db.CreateCommand("SELECT count(*) FROM backward_extremities").ExecuteScalarAsync();
        Assert.Equal((long)pdus[4].PrevEvents.Count, missing);
        await RoomInvariants.Check(node, room);
    }

    [Fact]
    public async Task A_redaction_that_comes_before_its_target_redacts_it_when_it_comes()
    {
        var roomId = await node.CreateRoom(Alice, RoomPreset.PublicChat);
        var room = await node.Room(roomId);
        var remote = await RemoteRoom.Follow(node, room);
        var eve = "@eve:far.example";
        var join = await remote.Receive(EventTypes.Member, eve, eve, """{"membership":"join"}""");
        var text = await remote.Build("m.room.message", null, eve, """{"body":"hm"}""", [join]);
        var mallory = await remote.Build("m.room.redaction", null, eve, $$"""{"redacts":"{{text.EventId}}"}""", [join], text.EventId);
        Assert.Equal(Reception.Accepted, (await node.Receiver.Receive(room, mallory, null, default)).Reception);
        Assert.Equal(Reception.Accepted, (await node.Receiver.Receive(room, text, null, default)).Reception);
        var redacted = (await node.Events.FindByEventId(text.EventId, default))!;
        Assert.Equal((await node.Events.FindByEventId(mallory.EventId, default))!.EventNid, redacted.RedactedBy);
    }

    static int Rooms(int few) => int.TryParse(Environment.GetEnvironmentVariable("MATRIX_TEST_ROOMS"), out var rooms) ? rooms : few;

    static async Task ReceiveAll(RoomNode node, Room room, List<Pdu> pdus, int seed)
    {
        foreach (var pdu in Shuffle(pdus, new Random(seed)))
        {
            ReceivedEvent received;
            do
            {
                received = await node.Receiver.Receive(room, pdu, null, default);
            } while (received.Reception is Reception.MissingAuthEvents or Reception.MissingPrevEvents);
        }
    }

    /// <summary>In a random order in which what an event names comes before it.</summary>
    static List<Pdu> Shuffle(List<Pdu> pdus, Random random)
    {
        var (sorted, done, left) = (new List<Pdu>(), new HashSet<EventId>(), pdus.ToList());
        while (left.Count > 0)
        {
            var free = left.Where(pdu => pdu.PrevEvents.All(done.Contains) && pdu.AuthEvents.All(done.Contains)).ToList();
            var next = free[random.Next(free.Count)];
            sorted.Add(next);
            done.Add(next.EventId);
            left.Remove(next);
        }
        return sorted;
    }

    static async Task AssertLike(NaiveRoom naive, RoomNode node, Room room, string what)
    {
        var head = (await node.Get<RoomStore>().FindHead(room.RoomNid, default))!;
        Assert.Equal(naive.Extremities.Order(), head.Extremities.Select(e => e.EventId).Order());
        var state = await node.State.ReadAll(head.StateRoot, default);
        var ids = await node.Events.Get([.. state.Select(e => e.EventNid)], default);
        var found = state.ToDictionary(e => e.Key, e => ids[e.EventNid].EventId);
        Assert.True(naive.Current.OrderBy(e => e.Key.ToString()).SequenceEqual(found.OrderBy(e => e.Key.ToString())), what);
    }
}
