using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms.Unread;

namespace Matrix.Rooms.Tests.Unread;

public sealed class EventNoticeTests : NodeTests
{
    static readonly UserId Alice = RoomNode.User("alice"), Bob = RoomNode.User("bob");
    RoomId room;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        room = await node.CreateRoom(Alice, RoomPreset.PublicChat);
        await node.Membership.Join(room, new MembershipRequest(Bob), default);
    }

    [Fact]
    public async Task An_event_is_in_the_thread_that_it_reaches_over_three_others_and_not_over_four()
    {
        var root = await Send(null, null);
        var target = await Send(EventRelation.Thread, root);
        for (var i = 0; i < 4; i++)
            target = await Send(EventRelation.Reference, target);
        var unread = await Unread(Bob);
        Assert.Equal(new UnreadCount(4, 0), unread.Threads[root.ToString()]); // the one in the thread and three that refer to it
        Assert.Equal(new UnreadCount(2, 0), unread.Main);
    }

    [Fact]
    public async Task Nobody_is_notified_of_what_they_did_themselves()
    {
        var content = RoomNode.Json(new { body = "moved", replacement_room = "!other:test.example" });
        await node.Writer.Send(room, EventDraft.State(Alice, EventTypes.Tombstone, "", content), null, default);
        Assert.Equal(new UnreadCount(0, 0), (await Unread(Alice)).Total);
        Assert.Equal(new UnreadCount(1, 1), (await Unread(Bob)).Total);
        Assert.Equal(new UnreadCount(1, 1), (await Unread(Bob, cold: true)).Total);
        Assert.Equal(new UnreadCount(0, 0), (await Unread(Alice, cold: true)).Total);
    }

    [Fact]
    public async Task Who_mentions_themselves_beside_others_notifies_the_others()
    {
        var content = RoomNode.Json(new Dictionary<string, object>
        {
            ["msgtype"] = "m.text",
            ["body"] = "we two",
            ["m.mentions"] = new { user_ids = new[] { Alice.ToString(), Bob.ToString() } },
        });
        await node.Writer.Send(room, EventDraft.Message(Alice, EventTypes.Message, content), null, default);
        Assert.Equal(new UnreadCount(1, 1), (await Unread(Bob)).Total);
    }

    [Theory]
    [InlineData("@a:b", "main")]
    [InlineData("@a\\n\n:b", "$with\nlines\\")]
    public void A_note_says_what_was_written_into_it(string user, string thread)
    {
        var note = new EventNote(Notice.Notify, true, user, thread, [new PersonalNotice(user, Notice.None), new PersonalNotice("@b:c", Notice.Highlight)]);
        var read = EventNote.Read(note.Write());
        Assert.Equivalent(note, read, strict: true);
        Assert.False(EventNote.Read((note with { Personal = [.. Enumerable.Range(0, 500).Select(i => new PersonalNotice($"@{i}:b", Notice.None))] }).Write()).IsWhole);
    }

    async Task<EventId> Send(string? relType, EventId? target)
    {
        var content = new Dictionary<string, object> { ["msgtype"] = "m.text", ["body"] = "x" };
        if (target is { } to)
            content["m.relates_to"] = new { rel_type = relType, event_id = to.ToString() };
        return (await node.Writer.Send(room, EventDraft.Message(Alice, EventTypes.Message, RoomNode.Json(content)), null, default)).EventId;
    }

    async Task<RoomUnread> Unread(UserId user, bool cold = false)
    {
        var counts = cold
            ? new UnreadCounts(node.Get<Storage.Rooms.UnreadStore>(), node.Get<LogFollower>(), node.Get<Storage.Caching.Caches>()) : node.Get<UnreadCounts>();
        var nid = (await node.Room(room)).RoomNid;
        return (await counts.Get(user.ToString(), [nid], default))[nid];
    }
}
