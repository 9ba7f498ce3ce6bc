using System.Text.Json;

namespace Matrix.ClientApi.Tests.History;

public sealed class RelationTests(MatrixServer server)
{
    [Fact]
    public async Task The_newest_valid_edit_is_bundled_and_the_content_stays()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var original = await alice.Say(room, "one");
        Assert.Null((await alice.Event(room, original.EventId)).Find("unsigned.m.relations"));
        await alice.PassMillisecond(room, await Edit(alice, room, original, "two")); // of edits of one millisecond the id decides
        var newest = await Edit(alice, room, original, "three");
        await Edit(bob, room, original, "not bob's to edit");
        await alice.Send(room, "m.room.message", new Dictionary<string, object>
        {
            ["body"] = "an edit without new content", ["msgtype"] = "m.text", ["m.relates_to"] = new { rel_type = "m.replace", event_id = original.EventId },
        });
        var e = await alice.Event(room, original.EventId);
        Assert.Equal("one", e.String("content.body"));
        Assert.Equal(newest.EventId, e.String("unsigned.m.relations.m.replace.event_id"));
        Assert.Equal("three", e.At("unsigned.m.relations.m.replace").At("content").At("m.new_content").String("body"));

        await alice.Redact(room, newest.EventId);
        e = await alice.Event(room, original.EventId);
        Assert.Equal("two", e.At("unsigned.m.relations.m.replace").At("content").At("m.new_content").String("body"));
        await alice.Redact(room, original.EventId);
        Assert.Null((await alice.Event(room, original.EventId)).Find("unsigned.m.relations"));
    }

    [Fact]
    public async Task State_neither_edits_nor_is_edited()
    {
        var (alice, room) = await server.UserInRoom();
        Dictionary<string, object> EditOf(string eventId) => new()
        {
            ["body"] = "x", ["m.new_content"] = new { body = "edited" }, ["m.relates_to"] = new { rel_type = "m.replace", event_id = eventId },
        };
        var state = await alice.SetState(room, "org.example", new { body = "x" });
        await alice.Send(room, "org.example", EditOf(state.EventId));
        Assert.Null((await alice.Event(room, state.EventId)).Find("unsigned.m.relations"));
        var message = await alice.Send(room, "org.example", new { body = "x" });
        await alice.SetState(room, "org.example", EditOf(message.EventId));
        Assert.Null((await alice.Event(room, message.EventId)).Find("unsigned.m.relations"));
    }

    [Fact]
    public async Task A_thread_is_summed_up_for_each_reader()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var root = await alice.Say(room, "root");
        await Reply(bob, room, root, "first");
        var last = await Reply(bob, room, root, "second");
        await Edit(bob, room, last, "second, edited");

        var ofAlice = Thread(await alice.Event(room, root.EventId));
        Assert.Equal(2, ofAlice.At("count").GetInt32());
        Assert.Equal(last.EventId, ofAlice.String("latest_event.event_id"));
        Assert.Equal("second, edited", ofAlice.At("latest_event.unsigned.m.relations.m.replace.content").At("m.new_content").String("body"));
        Assert.True(ofAlice.At("current_user_participated").GetBoolean());

        var carol = await server.NewUser();
        await alice.Invite(room, carol);
        await carol.Join(room);
        Assert.False(Thread(await carol.Event(room, root.EventId)).At("current_user_participated").GetBoolean());
        await Reply(carol, room, root, "third");
        Assert.True(Thread(await carol.Event(room, root.EventId)).At("current_user_participated").GetBoolean());
        await alice.Ignore(carol);
        ofAlice = Thread(await alice.Event(room, root.EventId));
        Assert.Equal(2, ofAlice.At("count").GetInt32());
        Assert.Equal(last.EventId, ofAlice.String("latest_event.event_id"));
        await bob.Redact(room, last.EventId);
        Assert.Equal(1, Thread(await alice.Event(room, root.EventId)).At("count").GetInt32());
    }

    [Fact]
    public async Task References_are_listed_and_show_in_pages_contexts_and_limited_syncs()
    {
        var (alice, room) = await server.UserInRoom();
        var root = await alice.Say(room, "root");
        var one = await Relate(alice, room, "m.reference", root);
        var two = await Relate(alice, room, "m.reference", root);
        string[] expected = [one.EventId, two.EventId];
        Assert.Equal(expected, References(await alice.Event(room, root.EventId)));
        var page = await alice.Messages(room, limit: 100);
        Assert.Equal(expected, References(page["chunk"].Items().Single(e => e.String("event_id") == root.EventId)));
        var context = (await alice.Get($"/_matrix/client/v3/rooms/{ApiClient.Esc(room)}/context/{ApiClient.Esc(root.EventId)}")).Ok();
        Assert.Equal(expected, References(context["event"]));
        var sync = await alice.SyncUntil(s => s.Timeline(room).Count == 3, filter: new { room = new { timeline = new { limit = 3 } } });
        Assert.Equal(expected, References(sync.Timeline(room)[0]));
        await alice.Redact(room, one.EventId);
        Assert.Equal([two.EventId], References(await alice.Event(room, root.EventId)));
    }

    [Fact]
    public async Task Relations_are_paged_in_both_directions_and_filtered_by_type()
    {
        var (alice, room) = await server.UserInRoom();
        var root = await alice.Say(room, "root");
        var replies = new List<string>();
        for (var i = 0; i < 5; i++)
            replies.Add((await Reply(alice, room, root, $"r{i}")).EventId);
        var edit = await Edit(alice, room, root, "edited");
        var path = $"/_matrix/client/v1/rooms/{ApiClient.Esc(room)}/relations/{ApiClient.Esc(root.EventId)}";
        Assert.Equal([edit.EventId, .. Enumerable.Reverse(replies)], Ids(await alice.Get(path)));
        Assert.Equal([edit.EventId], Ids(await alice.Get($"{path}/m.replace")));
        Assert.Equal(Enumerable.Reverse(replies), Ids(await alice.Get($"{path}/m.thread/m.room.message")));
        Assert.Empty(Ids(await alice.Get($"{path}/m.thread/m.sticker")));

        var found = new List<string>();
        for (string? from = null; ;)
        {
            var page = (await alice.Get($"{path}/m.thread?dir=f&limit=2{(from is null ? "" : $"&from={from}")}")).Ok();
            Assert.Equal(from, page.Json.Find("prev_batch")?.GetString());
            found.AddRange(Ids(page));
            if ((from = page.Json.Find("next_batch")?.GetString()) is null)
                break;
        }
        Assert.Equal(replies, found);
        (await alice.Get($"/_matrix/client/v1/rooms/{ApiClient.Esc(room)}/relations/%24nothing")).Refused(404, "M_NOT_FOUND");
        (await (await server.NewUser()).Get(path)).Refused(404, "M_NOT_FOUND");
    }

    [Fact]
    public async Task Relations_of_relations_are_found_by_recursion()
    {
        var (alice, room) = await server.UserInRoom();
        var root = await alice.Say(room, "root");
        var reply = await Reply(alice, room, root, "r");
        var reaction = await Relate(alice, room, "m.annotation", reply, "👍");
        var path = $"/_matrix/client/v1/rooms/{ApiClient.Esc(room)}/relations/";
        var direct = (await alice.Get($"{path}{ApiClient.Esc(root.EventId)}")).Ok();
        Assert.Equal([reply.EventId], Ids(direct));
        Assert.Null(direct.Json.Find("recursion_depth"));
        var deep = (await alice.Get($"{path}{ApiClient.Esc(root.EventId)}?recurse=true")).Ok();
        Assert.Equal([reaction.EventId, reply.EventId], Ids(deep));
        Assert.Equal(3, deep["recursion_depth"].GetInt32());
        Assert.Equal([reply.EventId], Ids(await alice.Get($"{path}{ApiClient.Esc(root.EventId)}/m.thread?recurse=true")));
        Assert.Equal([reaction.EventId], Ids(await alice.Get($"{path}{ApiClient.Esc(reply.EventId)}?recurse=true")));
    }

    [Fact]
    public async Task An_event_is_annotated_once_with_a_key()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var target = await alice.Say(room, "x");
        var content = Relation("m.annotation", target, "👍");
        var first = await alice.Send(room, "m.reaction", content, "reaction");
        Assert.Equal(first, await alice.Send(room, "m.reaction", content, "reaction"));
        (await alice.TrySend(room, "m.reaction", content)).Refused(400, "M_DUPLICATE_ANNOTATION");
        await alice.Send(room, "m.reaction", Relation("m.annotation", target, "👎"));
        await bob.Send(room, "m.reaction", content);
        await alice.Redact(room, first.EventId);
        await alice.Send(room, "m.reaction", content);
        (await alice.TrySend(room, "m.reaction", content)).Refused(400, "M_DUPLICATE_ANNOTATION");
    }

    [Fact]
    public async Task No_thread_begins_at_an_event_that_relates_to_another()
    {
        var (alice, room) = await server.UserInRoom();
        var root = await alice.Say(room, "root");
        var reply = await Reply(alice, room, root, "r");
        (await alice.TrySend(room, "m.room.message", ThreadContent(reply, "nested"))).Refused(400, "M_UNKNOWN");
    }

    [Fact]
    public async Task Threads_are_listed_by_their_newest_event()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var one = await alice.Say(room, "one");
        var two = await alice.Say(room, "two");
        var three = await bob.Say(room, "three");
        await Reply(bob, room, one, "r");
        await Reply(alice, room, two, "r");
        await Reply(alice, room, three, "r");
        await Reply(alice, room, one, "r");
        var path = $"/_matrix/client/v1/rooms/{ApiClient.Esc(room)}/threads";
        var first = (await bob.Get($"{path}?limit=2")).Ok();
        Assert.Equal([one.EventId, three.EventId], Ids(first));
        Assert.Equal(2, Thread(first["chunk"][0]).At("count").GetInt32());
        var second = (await bob.Get($"{path}?limit=2&from={first.String("next_batch")}")).Ok();
        Assert.Equal([two.EventId], Ids(second));
        Assert.Null(second.Json.Find("next_batch"));
        Assert.Equal([one.EventId, three.EventId], Ids(await bob.Get($"{path}?include=participated")));
        (await bob.Get($"{path}?include=some")).Refused(400, "M_INVALID_PARAM");

        await bob.Ignore(alice);
        Assert.Equal("{}", (await bob.Get(path)).Ok()["chunk"][0].At("content").GetRawText());
    }

    [Fact]
    public async Task A_page_can_be_limited_to_what_others_relate_to()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var one = await alice.Say(room, "one");
        var two = await alice.Say(room, "two");
        await Reply(alice, room, one, "r");
        await Reply(bob, room, two, "r");
        await Relate(bob, room, "m.annotation", one, "👍");
        Assert.Equal(["two", "one"], await Bodies(new { related_by_rel_types = new[] { "m.thread" } }));
        Assert.Equal(["two"], await Bodies(new { related_by_rel_types = new[] { "m.thread" }, related_by_senders = new[] { bob.UserId } }));
        Assert.Equal(["one"], await Bodies(new { related_by_senders = new[] { alice.UserId } }));

        async Task<IReadOnlyList<string>> Bodies(object filter) => (await alice.Messages(room, filter: filter, limit: 50))["chunk"].Items().Bodies();
    }

    internal static Task<Sent> Edit(User user, string room, Sent original, string body) => user.Send(room, "m.room.message", new Dictionary<string, object>
    {
        ["body"] = $"* {body}",
        ["msgtype"] = "m.text",
        ["m.new_content"] = User.Text(body),
        ["m.relates_to"] = new { rel_type = "m.replace", event_id = original.EventId },
    });

    internal static Task<Sent> Reply(User user, string room, Sent root, string body) => user.Send(room, "m.room.message", ThreadContent(root, body));

    static Dictionary<string, object> ThreadContent(Sent root, string body) => new()
    {
        ["body"] = body, ["msgtype"] = "m.text", ["m.relates_to"] = new { rel_type = "m.thread", event_id = root.EventId },
    };

    static Task<Sent> Relate(User user, string room, string relType, Sent target, string? key = null) =>
        user.Send(room, "m.room.message", Relation(relType, target, key));

    static Dictionary<string, object> Relation(string relType, Sent target, string? key = null) => new()
    {
        ["body"] = "x", ["m.relates_to"] = key is null ? new { rel_type = relType, event_id = target.EventId } : new { rel_type = relType, event_id = target.EventId, key },
    };

    static JsonElement Thread(JsonElement e) => e.At("unsigned.m.relations.m.thread");

    static IEnumerable<string> References(JsonElement e) => e.At("unsigned.m.relations.m.reference.chunk").Items().Select(r => r.String("event_id"));

    static IEnumerable<string> Ids(Reply reply) => reply.Ok()["chunk"].Items().Select(e => e.String("event_id"));
}
