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
