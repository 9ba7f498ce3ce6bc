using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms.State;
using Matrix.Rooms.Unread;
using Matrix.Rooms.Writing;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Tests;

public sealed class RoomWriterTests : NodeTests
{
    static readonly UserId Alice = RoomNode.User("alice");
    static readonly UserId Bob = RoomNode.User("bob");

    [Fact]
    public async Task Events_stand_one_upon_the_other_in_the_order_of_the_log()
    {
        var room = await node.CreateRoom(Alice);
        for (var i = 0; i < 5; i++)
            await node.Writer.Send(room, RoomNode.Text(Alice, $"{i}"), null, default);
        AssertLinear(await node.Timeline(room));
    }

    [Fact]
    public async Task Rooms_that_a_user_makes_alike_within_a_millisecond_are_different_rooms()
    {
        var rooms = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => Task.Run(() => node.CreateRoom(Alice, version: "12"))));
        Assert.Equal(12, rooms.Distinct().Count());
    }

    [Fact]
    public async Task Writers_in_two_processes_lose_nothing_and_make_one_line()
    {
        await using var other = await RoomNode.Start(database);
        var room = await node.CreateRoom(Alice, RoomPreset.PublicChat);
        await node.Membership.Join(room, new(Bob), default);
        var before = (await node.Timeline(room)).Count;

        var sends = Enumerable.Range(0, 40).SelectMany(i => new[]
        {
            node.Writer.Send(room, RoomNode.Text(Alice, $"a{i}"), null, default),
            other.Writer.Send(room, RoomNode.Text(Bob, $"b{i}"), null, default),
        });
        var sent = await Task.WhenAll(sends);

        var timeline = await node.Timeline(room);
        Assert.Equal(80, sent.Select(s => s.EventId).Distinct().Count());
        Assert.Equal(sent.Select(s => s.EventId).ToHashSet(), timeline.Skip(before).Select(e => e.EventId).ToHashSet());
        Assert.All(sent, s => Assert.Equal(s.Position.Value, timeline.Single(e => e.EventId == s.EventId).Position));
        AssertLinear(timeline);
    }

    [Fact]
    public async Task State_written_by_two_processes_at_once_is_all_there()
    {
        await using var other = await RoomNode.Start(database);
        var room = await node.CreateRoom(Alice, RoomPreset.PublicChat);
        var users = Enumerable.Range(0, 30).Select(i => RoomNode.User($"user{i}")).ToArray();

        await Task.WhenAll(users.Select((user, i) => (i % 2 == 0 ? node : other).Membership.Join(room, new(user), default)));

        var root = await node.State.CurrentRoot((await node.Room(room)).RoomNid, default);
        var members = (await node.State.ReadAll(root, default)).Where(e => e.Key.Type == EventTypes.Member).Select(e => e.Key.StateKey);
        Assert.Equal(users.Append(Alice).Select(u => u.ToString()).Order(), members.Order());
        Assert.Equal(31, (await node.Summary(room)).JoinedCount);
        AssertLinear(await node.Timeline(room));
    }

    [Fact]
    public async Task A_stale_head_neither_forbids_what_is_allowed_now_nor_takes_an_old_value_for_the_current_one()
    {
        await using var other = await RoomNode.Start(database);
        var room = await node.CreateRoom(Alice, RoomPreset.PublicChat);
        await other.Writer.Send(room, Topic("one"), null, default);
        await node.Writer.Send(room, Topic("two"), null, default);
        await node.Membership.Join(room, new(Bob), default);

        await other.Writer.Send(room, RoomNode.Text(Bob, "hello"), null, default);
        await node.Writer.Send(room, Topic("three"), null, default);
        await other.Writer.Send(room, Topic("two"), null, default);

        Assert.Equal("two", (await node.StateContent(room, EventTypes.Topic))?.GetProperty("topic").GetString());
        Assert.Equal("two", (await node.Summary(room)).Topic);
    }

    [Fact]
    public async Task The_same_transaction_id_gives_the_first_event_however_often_and_wherever_it_comes()
    {
        await using var other = await RoomNode.Start(database);
        var room = await node.CreateRoom(Alice);
        var before = (await node.Timeline(room)).Count;
        var txn = new TransactionId(Alice, DeviceId.Parse("PHONE"), "t1");

        var sent = await Task.WhenAll(Enumerable.Range(0, 20).Select(i =>
            (i % 2 == 0 ? node : other).Writer.Send(room, RoomNode.Text(Alice, "once"), txn, default)));

        Assert.Single(sent.Select(s => s.EventId).Distinct());
        Assert.Equal(before + 1, (await node.Timeline(room)).Count);
        var elsewhere = await node.Writer.Send(room, RoomNode.Text(Alice, "once"), txn with { DeviceId = DeviceId.Parse("LAPTOP") }, default);
        Assert.NotEqual(sent[0].EventId, elsewhere.EventId);
    }

    [Fact]
    public async Task Events_built_on_one_that_fails_are_built_again()
    {
        await using var other = await RoomNode.Start(database);
        var room = await node.CreateRoom(Alice);
        var txn = new TransactionId(Alice, DeviceId.Parse("PHONE"), "t1");
        var first = await other.Writer.Send(room, RoomNode.Text(Alice, "once"), txn, default);
        await node.Writer.Send(room, RoomNode.Text(Alice, "I know the head"), null, default);
        var before = (await node.Timeline(room)).Count;

        var sent = await Task.WhenAll(Enumerable.Range(0, 40).Select(i =>
            node.Writer.Send(room, RoomNode.Text(Alice, $"{i}"), i % 10 == 3 ? txn : null, default)));

        Assert.All(sent.Where((_, i) => i % 10 == 3), s => Assert.Equal(first.EventId, s.EventId));
        Assert.Equal(before + 36, (await node.Timeline(room)).Count);
        AssertLinear(await node.Timeline(room));
    }

    [Fact]
    public async Task A_head_that_another_process_brought_to_the_expected_version_is_not_taken_for_the_expected_one()
    {
        var room = await node.Room(await node.CreateRoom(Alice));
        var head = (await node.Get<RoomStore>().FindHead(room.RoomNid, default))!;
        await node.Writer.Send(room.RoomId, RoomNode.Text(Alice, "theirs"), null, default);
        var neverStored = head with { Version = head.Version + 1, Extremities = [new EventReference(long.MaxValue, head.Extremities[0].EventId)] };
        var chain = new EventChain(node.Get<EventBuilding>(), room, neverStored);
        await chain.Add(RoomNode.Text(Alice, "built on what failed"), default);
        var change = new EventsChange(chain, await node.Get<EventNotices>().Of(chain, default));
        await Assert.ThrowsAsync<HeadMovedException>(() => node.Get<LogWriter>().Append(change, default));
    }

    [Fact]
    public async Task A_transaction_id_of_another_endpoint_names_another_request()
    {
        var room = await node.CreateRoom(Alice);
        var txn = new TransactionId(Alice, DeviceId.Parse("PHONE"), "t1");
        var sent = await node.Writer.Send(room, RoomNode.Text(Alice, "text"), txn, default);
        var redaction = EventDraft.Message(Alice, EventTypes.Redaction, RoomNode.Json(new { redacts = sent.EventId.ToString() }))
            with { Redacts = sent.EventId };
        var redacted = await node.Writer.Send(room, redaction, txn with { Endpoint = TransactionId.Redact }, default);
        Assert.NotEqual(sent.EventId, redacted.EventId);
        Assert.Equal(redacted.EventId, (await node.Writer.Send(room, redaction, txn with { Endpoint = TransactionId.Redact }, default)).EventId);
    }

    [Fact]
    public async Task A_transaction_is_remembered_after_its_user_has_left()
    {
        var room = await node.CreateRoom(Alice);
        var txn = new TransactionId(Alice, DeviceId.Parse("PHONE"), "t1");
        var sent = await node.Writer.Send(room, RoomNode.Text(Alice, "bye"), txn, default);
        await node.Membership.Leave(room, new(Alice), default);

        Assert.Equal(sent.EventId, (await node.Writer.Send(room, RoomNode.Text(Alice, "bye"), txn, default)).EventId);
        await Refused("M_FORBIDDEN", () => node.Writer.Send(room, RoomNode.Text(Alice, "ghost"), txn with { TxnId = "t2" }, default));
    }

    [Fact]
    public async Task A_state_event_that_changes_nothing_is_the_one_that_stands()
    {
        var room = await node.CreateRoom(Alice);
        var first = await node.Writer.Send(room, Topic("same"), null, default);
        var again = await node.Writer.Send(room, Topic("same"), null, default);
        Assert.Equal(first.EventId, again.EventId);
    }

    [Fact]
    public async Task Who_is_not_in_the_room_cannot_send()
    {
        var room = await node.CreateRoom(Alice);
        await Refused("M_FORBIDDEN", () => node.Writer.Send(room, RoomNode.Text(Bob, "hi"), null, default));
        await Refused("M_NOT_FOUND", () => node.Writer.Send(RoomId.Parse("!nowhere:test.example"), RoomNode.Text(Bob, "hi"), null, default));
    }

    [Fact]
    public async Task Each_event_carries_the_state_before_it_and_after_it()
    {
        var room = await node.CreateRoom(Alice);
        await node.Writer.Send(room, Topic("one"), null, default);
        await node.Writer.Send(room, RoomNode.Text(Alice, "hi"), null, default);
        var timeline = await node.Timeline(room);
        Assert.Equal(StateTree.Empty, timeline[0].StateBefore);
        for (var i = 1; i < timeline.Count; i++)
            Assert.Equal(timeline[i - 1].RoomState, timeline[i].StateBefore);
        Assert.Equal(timeline[^1].StateBefore, timeline[^1].RoomState);
        Assert.NotEqual(timeline[^2].StateBefore, timeline[^2].RoomState);
        Assert.Equal(timeline[^1].RoomState, await node.State.CurrentRoot(timeline[0].RoomNid, default));
    }

    [Theory]
    [InlineData("10")]
    [InlineData("11")]
    [InlineData("12")]
    public async Task A_redaction_is_for_the_sender_and_for_those_with_power(string version)
    {
        var room = await node.CreateRoom(Alice, RoomPreset.PublicChat, version);
        await node.Membership.Join(room, new(Bob), default);
        var byAlice = await node.Writer.Send(room, RoomNode.Text(Alice, "secret"), null, default);
        var byBob = await node.Writer.Send(room, RoomNode.Text(Bob, "secret"), null, default);
        var another = await node.Writer.Send(room, RoomNode.Text(Bob, "secret"), null, default);

        await Refused("M_FORBIDDEN", () => Redact(room, Bob, byAlice.EventId));
        await Redact(room, Bob, byBob.EventId);
        var redaction = await Redact(room, Alice, another.EventId);

        Assert.Null((await node.Events.FindByEventId(byAlice.EventId, default))!.RedactedBy);
        Assert.NotNull((await node.Events.FindByEventId(byBob.EventId, default))!.RedactedBy);
        var stored = (await node.Events.FindByEventId(redaction.EventId, default))!;
        Assert.Equal(stored.EventNid, (await node.Events.FindByEventId(another.EventId, default))!.RedactedBy);
        await Refused("M_NOT_FOUND", () => Redact(room, Alice, EventId.Parse("$nothing")));
    }

    [Fact]
    public async Task Redacted_state_is_not_shown_by_summary_and_member_list_either()
    {
        var room = await node.CreateRoom(Alice, RoomPreset.PublicChat);
        var old = await node.Writer.Send(room, Topic("old"), null, default);
        var topic = await node.Writer.Send(room, Topic("secret"), null, default);
        var name = EventDraft.State(Alice, EventTypes.Member, Alice.ToString(), RoomNode.Json(new { membership = "join", displayname = "secret" }));
        var member = await node.Writer.Send(room, name, null, default);
        await Redact(room, Alice, old.EventId);
        Assert.Equal("secret", (await node.Summary(room)).Topic);
        var nid = (await node.Room(room)).RoomNid;
        Assert.Equal("secret", (await node.Get<MembershipStore>().Find(nid, Alice, default))!.DisplayName);

        await Redact(room, Alice, topic.EventId);
        await Redact(room, Alice, member.EventId);

        Assert.Null((await node.Summary(room)).Topic);
        Assert.Equal("public", (await node.Summary(room)).JoinRule);
        var row = (await node.Get<MembershipStore>().Find(nid, Alice, default))!;
        Assert.Equal(("join", null), (row.Membership, row.DisplayName));
    }

    [Fact]
    public async Task The_summary_counts_whoever_is_in_the_room_after_any_changes()
    {
        var room = await node.CreateRoom(Alice, RoomPreset.PublicChat);
        var users = Enumerable.Range(0, 6).Select(i => RoomNode.User($"u{i}")).ToArray();
        var random = new Random(7);
        for (var i = 0; i < 60; i++)
        {
            var user = users[random.Next(users.Length)];
            try
            {
                await (random.Next(6) switch
                {
                    0 => node.Membership.Join(room, new(user), default),
                    1 => node.Membership.Leave(room, new(user), default),
                    2 => node.Membership.Invite(room, new(Alice), user, false, default),
                    3 => node.Membership.Kick(room, new(Alice), user, default),
                    4 => node.Membership.Ban(room, new(Alice), user, default),
                    _ => node.Membership.Unban(room, new(Alice), user, default),
                });
            }
            catch (RoomException)
            {
                // what makes no sense now is refused, and changes nothing
            }
        }
        var root = await node.State.CurrentRoot((await node.Room(room)).RoomNid, default);
        var memberships = new List<string?>();
        foreach (var user in users.Append(Alice))
        {
            memberships.Add((await node.State.Get(root, EventTypes.Member, user.ToString(), default))?.Membership);
            Assert.Equal(memberships[^1], await node.MembershipOf(room, user));
        }
        var summary = await node.Summary(room);
        Assert.Equal((memberships.Count(m => m == "join"), memberships.Count(m => m == "invite")), (summary.JoinedCount, summary.InvitedCount));
    }

    Task<SentEvent> Redact(RoomId room, UserId sender, EventId target) =>
        node.Writer.Send(room, new EventDraft(sender, EventTypes.Redaction, null, "{}"u8.ToArray(), target), null, default);

    static EventDraft Topic(string topic) => EventDraft.State(Alice, EventTypes.Topic, "", RoomNode.Json(new { topic }));

    static async Task Refused(string errcode, Func<Task> act) => Assert.Equal(errcode, (await Assert.ThrowsAsync<RoomException>(act)).Errcode);

    static void AssertLinear(List<StoredEvent> timeline)
    {
        for (var i = 0; i < timeline.Count; i++)
        {
            var pdu = Pdu.FromStored(timeline[i].EventId, timeline[i].Json, timeline[i].Rules);
            Assert.Equal(i + 1, pdu.Depth);
            Assert.Equal(i == 0 ? [] : [timeline[i - 1].EventId], pdu.PrevEvents);
        }
    }
}
