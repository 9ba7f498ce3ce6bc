using System.Text.Json;

namespace Matrix.ClientApi.Tests.Accounts;

public sealed class PushRuleTests(MatrixServer server)
{
    const string Rules = "/_matrix/client/v3/pushrules/", Global = Rules + "global/";

    [Fact]
    public async Task Everybody_begins_with_the_predefined_rules()
    {
        var user = await server.NewUser();
        var global = (await user.Get(Rules)).Ok()["global"];
        Assert.Equal(global.GetRawText(), Find(await user.Sync())?.At("content.global").GetRawText());
        Assert.Equal(".m.rule.master", global.At("override")[0].String("rule_id"));
        Assert.False(global.At("override")[0].At("enabled").GetBoolean());
        Assert.Contains(global.At("underride").Items(), rule => rule.String("rule_id") == ".m.rule.message");
        Assert.Equal(global.GetRawText(), (await user.Get(Global)).Ok().Json.GetRawText());
    }

    [Fact]
    public async Task A_users_own_rule_is_made_placed_changed_and_deleted()
    {
        var user = await server.NewUser();
        (await user.Put(Global + "content/cake", new { pattern = "cake*lie", actions = new[] { "notify" } })).Ok();
        (await user.Put(Global + "content/pie", new { pattern = "pie", actions = new[] { "notify" } })).Ok();
        (await user.Put(Global + "content/tart?after=cake", new { pattern = "tart", actions = Array.Empty<string>() })).Ok();
        var content = (await user.Get(Global)).Ok()["content"].Items();
        Assert.Equal(["pie", "cake", "tart"], content.Select(rule => rule.String("rule_id")).Where(id => id[0] != '.'));

        (await user.Put(Global + "content/cake/enabled", new { enabled = false })).Ok();
        (await user.Put(Global + "content/cake", new { pattern = "other", actions = new[] { "notify" } })).Ok();
        var cake = (await user.Get(Global + "content/cake")).Ok();
        Assert.Equal(("other", false), (cake.String("pattern"), cake["enabled"].GetBoolean()));
        (await user.Delete(Global + "content/cake")).Ok();
        (await user.Get(Global + "content/cake")).Refused(404, "M_NOT_FOUND");
        (await user.Delete(Global + "content/cake")).Refused(404, "M_NOT_FOUND");
    }

    [Fact]
    public async Task A_predefined_rule_keeps_its_place_and_can_be_silenced_not_deleted()
    {
        var user = await server.NewUser();
        const string Message = Global + "underride/.m.rule.message";
        (await user.Put(Message + "/actions", new { actions = Array.Empty<string>() })).Ok();
        (await user.Put(Message + "/enabled", new { enabled = false })).Ok();
        Assert.Equal(0, (await user.Get(Message + "/actions")).Ok()["actions"].GetArrayLength());
        Assert.False((await user.Get(Message + "/enabled")).Ok()["enabled"].GetBoolean());
        (await user.Delete(Message)).Refused(400, "M_INVALID_PARAM");
        (await user.Put(Global + "override/.mine", new { actions = Array.Empty<string>() })).Refused(400, "M_INVALID_PARAM");
        (await user.Put(Global + "override/mine?before=nothing", new { actions = Array.Empty<string>() })).Refused(400, "M_UNKNOWN");
        (await user.Put(Global + "sideways/mine", new { actions = Array.Empty<string>() })).Refused(400, "M_INVALID_PARAM");
    }

    [Fact]
    public async Task Each_kind_of_rule_and_condition_decides_what_counts_and_what_is_told()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var carol = await server.NewUser();
        await alice.Invite(room, carol);
        await carol.Join(room);
        object highlight = new { set_tweak = "highlight" }, sound = new { set_tweak = "sound", value = "bell" };
        object Type(string type) => new { kind = "event_match", key = "type", pattern = type };
        Task Rule(string id, object[] actions, params object[] conditions) => Put(bob, id, new { actions, conditions });
        await Rule("override/quiet", ["dont_notify"], new { kind = "event_match", key = "content.body", pattern = "quiet*" });
        await Rule("override/equal", ["notify", highlight], new { kind = "event_property_is", key = "content.level", value = 3 });
        await Rule("override/among", ["coalesce", "notify"], new { kind = "event_property_contains", key = "content.tags", value = "b" }, Type("x.*"));
        await Rule("override/two", ["notify"], new { kind = "room_member_count", @is = "2" }, Type("x.count"));
        await Rule("override/three", ["notify"], new { kind = "room_member_count", @is = ">=3" }, Type("x.counted"));
        await Rule("override/power", ["notify", highlight], new { kind = "sender_notification_permission", key = "room" }, Type("x.power"));
        await Rule("override/unknown", ["notify"], new { kind = "x.not_yet_known", other = 1 });
        await Rule("underride/rest", ["notify", sound], Type("x.rest"));
        await Put(bob, "content/cake", new { actions = new[] { "notify", highlight, sound }, pattern = "c?ke" });
        await Put(bob, "sender/" + ApiClient.Esc(carol.UserId), new { actions = Array.Empty<string>() });
        await Put(bob, "underride/off", new { actions = new object[] { "notify" }, conditions = new[] { Type("x.off") } });
        await Put(bob, "underride/off/enabled", new { enabled = false });

        foreach (var (from, type, content) in new (User, string, object)[]
        {
            (alice, "m.room.message", new { msgtype = "m.text", body = "plain" }),
            (alice, "m.room.message", new { msgtype = "m.text", body = "Quietly, please" }),
            (alice, "m.room.message", new { msgtype = "m.text", body = "a CAKE for all" }),
            (alice, "m.room.message", new { msgtype = "m.text", body = "cakes are no cak" }),
            (carol, "m.room.message", new { msgtype = "m.text", body = "from one who is muted" }),
            (carol, "m.room.message", new { msgtype = "m.text", body = "content before sender: cake" }),
            (alice, "x.level", new { level = 3, body = "equal" }),
            (alice, "x.level", new { level = "3", body = "not equal" }),
            (alice, "x.tags", new { tags = new[] { "a", "b" }, body = "among" }),
            (alice, "x.tags", new { tags = "b", body = "not among" }),
            (alice, "x.count", new { body = "are not two" }),
            (alice, "x.counted", new { body = "are three" }),
            (alice, "x.power", new { body = "with power" }),
            (carol, "x.power", new { body = "without power" }),
            (alice, "x.rest", new { body = "rest" }),
            (alice, "x.off", new { body = "switched off" }),
        })
            await from.Send(room, type, content);

        var told = (await bob.Get("/_matrix/client/v3/notifications?limit=50")).Ok()["notifications"].Items();
        string[] loud = ["with power", "equal", "content before sender: cake", "a CAKE for all"];
        Assert.Equal(
            ["rest", "with power", "are three", "among", "equal", "content before sender: cake", "cakes are no cak", "a CAKE for all", "plain"],
            told.Select(n => n.String("event.content.body")));
        Assert.Equal(loud, (await bob.Get("/_matrix/client/v3/notifications?only=highlight")).Ok()["notifications"].Items().Select(n => n.String("event.content.body")));
        Assert.Equal("""["notify",{"set_tweak":"sound","value":"bell"}]""", told[0].At("actions").GetRawText());
        Assert.DoesNotContain("coalesce", told[3].At("actions").GetRawText(), StringComparison.Ordinal);
        var counts = (await bob.Sync()).Joined(room)!.Value.At("unread_notifications");
        Assert.Equal((told.Count, loud.Length), (counts.At("notification_count").GetInt32(), counts.At("highlight_count").GetInt32()));
    }

    [Fact]
    public async Task What_is_no_rule_is_refused()
    {
        var user = await server.NewUser();
        (await user.Put(Global + "content/x", new { actions = Array.Empty<string>() })).Refused(400, "M_MISSING_PARAM");
        (await user.Put(Global + "override/x", new { conditions = Array.Empty<object>() })).Refused(400, "M_MISSING_PARAM");
        (await user.Put(Global + "override/x", new { actions = new object[] { 1 } })).Refused(400, "M_INVALID_PARAM");
        (await user.Put(Global + "override/x", new { actions = new object[] { new { value = "sound" } } })).Refused(400, "M_INVALID_PARAM");
        (await user.Put(Global + "override/x", new { actions = Array.Empty<string>(), conditions = new[] { new { key = "without a kind" } } })).Refused(400, "M_BAD_JSON");
        (await user.Put(Global + "override/a%2Fb", new { actions = Array.Empty<string>() })).Refused(400, "M_INVALID_PARAM");
        (await user.Put(Global + "override/nothing/enabled", new { enabled = true })).Refused(404, "M_NOT_FOUND");
        (await user.Put(Global + "override/nothing/actions", new { actions = Array.Empty<string>() })).Refused(404, "M_NOT_FOUND");
        (await user.Put(Global + "underride/.m.rule.message/enabled", new { enabled = "yes" })).Refused(400, "M_BAD_JSON");
        (await user.Get(Global + "override/nothing/actions")).Refused(404, "M_NOT_FOUND");
        (await user.Get(Global + "override/nothing/enabled")).Refused(404, "M_NOT_FOUND");
        (await user.Delete(Global + "sideways/x")).Refused(400, "M_INVALID_PARAM");
    }

    static async Task Put(User user, string rule, object body) => (await user.Put(Global + rule, body)).Ok();

    [Fact]
    public async Task Devices_that_change_rules_at_once_do_not_undo_each_other_and_hear_of_it()
    {
        var user = await server.NewUser();
        var since = (await user.Sync()).NextBatch;
        var rooms = Enumerable.Range(0, 6).Select(i => $"!room{i}:test.example").ToArray();
        var replies = await Task.WhenAll(rooms.Select(room =>
            user.Put(Global + "room/" + ApiClient.Esc(room), new { actions = Array.Empty<string>() })));
        foreach (var reply in replies) reply.Ok();
        var set = (await user.Get(Global)).Ok()["room"].Items().Select(rule => rule.String("rule_id"));
        Assert.Equal(rooms, set.Order());

        var sync = await user.SyncUntil(sync => Find(sync)?.At("content.global.room").GetArrayLength() == rooms.Length, since);
        Assert.NotNull(Find(sync));
    }

    static JsonElement? Find(SyncReply sync)
    {
        var found = sync.AccountData.Where(data => data.String("type") == "m.push_rules").ToList();
        return found.Count == 0 ? null : found[0];
    }
}
