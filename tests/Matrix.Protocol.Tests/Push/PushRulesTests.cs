using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Matrix.Protocol.Tests;

public class PushRulesTests
{
    static readonly TestRoom Room = new(RoomVersions.V11);
    static readonly PushContext Group = new(10, "Bob B", PowerLevels.Read(null, Room.Create));

    static PushOutcome? Evaluate(string type, string content, string? stateKey = null, PushContext? context = null, PushRuleset? rules = null) =>
        PushRules.Compile(rules ?? PushRuleset.Default(TestRoom.Bob), TestRoom.Bob)
            .Evaluate(new PushEvent(Room.Event(type, content, stateKey: stateKey)), context ?? Group);

    [Theory]
    [InlineData("m.room.message", """{"msgtype":"m.text","body":"hi"}""", null, ".m.rule.message", true, false, null)]
    [InlineData("m.room.message", """{"msgtype":"m.notice","body":"hi"}""", null, ".m.rule.suppress_notices", false, false, null)]
    [InlineData("m.room.message", """{"m.mentions":{"user_ids":["@bob:example.org"]}}""", null, ".m.rule.is_user_mention", true, true, "default")]
    [InlineData("m.room.message", """{"m.mentions":{"user_ids":["@carol:example.org"]}}""", null, ".m.rule.message", true, false, null)]
    [InlineData("m.room.message", """{"m.mentions":{"user_ids":"@bob:example.org"}}""", null, ".m.rule.message", true, false, null)]
    [InlineData("m.room.message", """{"m.mentions":{"room":true}}""", null, ".m.rule.is_room_mention", true, true, null)]
    [InlineData("m.room.message", """{"m.mentions":{"room":"true"}}""", null, ".m.rule.message", true, false, null)]
    [InlineData("m.room.message", """{"m.relates_to":{"rel_type":"m.replace"}}""", null, ".m.rule.suppress_edits", false, false, null)]
    [InlineData("m.room.encrypted", "{}", null, ".m.rule.encrypted", true, false, null)]
    [InlineData("m.room.member", """{"membership":"invite"}""", "@bob:example.org", ".m.rule.invite_for_me", true, false, "default")]
    [InlineData("m.room.member", """{"membership":"invite"}""", "@carol:example.org", ".m.rule.member_event", false, false, null)]
    [InlineData("m.room.tombstone", "{}", "", ".m.rule.tombstone", true, true, null)]
    [InlineData("m.room.tombstone", "{}", null, null, false, false, null)]
    [InlineData("m.room.server_acl", "{}", "", ".m.rule.room.server_acl", false, false, null)]
    [InlineData("m.reaction", "{}", null, ".m.rule.reaction", false, false, null)]
    [InlineData("m.call.invite", "{}", null, ".m.rule.call", true, false, "ring")]
    [InlineData("m.room.topic", "{}", "", null, false, false, null)]
    public void The_default_rules_decide(string type, string content, string? stateKey, string? rule, bool notify, bool highlight, string? sound)
    {
        var outcome = Evaluate(type, content, stateKey);
        Assert.Equal((rule, notify, highlight, sound), (outcome?.RuleId, outcome?.Notify ?? false, outcome?.Highlight ?? false, outcome?.Sound));
    }

    [Fact]
    public void The_default_rules_are_those_of_the_specification_word_for_word_and_in_order()
    {
        using var file = new StreamReader(typeof(PushRulesTests).Assembly.GetManifestResourceStream("push/predefined_rules.json")!);
        var expected = JsonNode.Parse(file.ReadToEnd().Replace("[the user's Matrix ID]", TestRoom.Bob.ToString()))!.AsObject();
        var actual = JsonNode.Parse(PushRuleset.Default(TestRoom.Bob).ToJson())!.AsObject();
        foreach (var (kind, rules) in expected)
        {
            Assert.Equal(rules!.AsArray().Count, actual[kind]!.AsArray().Count);
            foreach (var (rule, made) in rules.AsArray().Zip(actual[kind]!.AsArray()))
                Assert.True(JsonNode.DeepEquals(rule, made), $"{rule}\n{made}");
        }
        // and one kind that the specification has not yet (MSC4306)
        Assert.Equal(expected.Select(kind => kind.Key).Append("postcontent").Order(), actual.Select(kind => kind.Key).Order());
    }

    [Fact]
    public void Rules_about_threads_are_off_and_stand_between_those_for_contents_and_those_for_rooms()
    {
        const string Thread = """{"body":"cake","m.relates_to":{"rel_type":"m.thread","event_id":"$root"}}""";
        var rules = PushRuleset.Default(TestRoom.Bob);
        Assert.All(rules.PostContent, rule => Assert.False(rule.Enabled));
        Assert.Equal(".m.rule.message", Evaluate("m.room.message", Thread)?.RuleId);
        rules = rules with
        {
            PostContent = [.. rules.PostContent.Select(rule => rule with { Enabled = true })],
            Room = [new PushRule { RuleId = Room.RoomId.ToString(), Actions = [] }],
        };
        var subscribed = Group with { IsSubscribed = true };
        var outcome = Evaluate("m.room.message", Thread, context: subscribed, rules: rules);
        Assert.Equal((PushRuleset.SubscribedThread, true, "default"), (outcome?.RuleId, outcome?.Notify, outcome?.Sound));
        outcome = Evaluate("m.room.message", Thread, rules: rules);
        Assert.Equal((PushRuleset.UnsubscribedThread, false), (outcome?.RuleId, outcome?.Notify));
        Assert.Equal(Room.RoomId.ToString(), Evaluate("m.room.message", """{"body":"cake"}""", context: subscribed, rules: rules)?.RuleId);
        var mention = Thread.Replace("""{"body":"cake",""", """{"m.mentions":{"user_ids":["@bob:example.org"]},""", StringComparison.Ordinal);
        Assert.Equal(".m.rule.is_user_mention", Evaluate("m.room.message", mention, context: subscribed, rules: rules)?.RuleId);
        rules = rules with { Content = [new PushRule { RuleId = "cake", Pattern = "cake", Actions = [] }] };
        Assert.Equal("cake", Evaluate("m.room.message", Thread, rules: rules)?.RuleId);
    }

    [Fact]
    public void Two_in_a_room_always_make_a_sound()
    {
        var two = Group with { MemberCount = 2 };
        Assert.Equal(".m.rule.room_one_to_one", Evaluate("m.room.message", "{}", context: two)?.RuleId);
        Assert.Equal(".m.rule.encrypted_room_one_to_one", Evaluate("m.room.encrypted", "{}", context: two)?.RuleId);
    }

    [Fact]
    public void A_mention_of_the_room_needs_power()
    {
        var weak = PowerLevels.Read(Room.Event(EventTypes.PowerLevels, """{"users":{"@alice:example.org":49}}""", stateKey: ""), Room.Create);
        Assert.Equal(".m.rule.message", Evaluate("m.room.message", """{"m.mentions":{"room":true}}""", context: Group with { Levels = weak })?.RuleId);
    }

    [Fact]
    public void Nobody_is_notified_of_what_they_sent() =>
        Assert.Null(PushRules.Compile(PushRuleset.Default(TestRoom.Alice), TestRoom.Alice)
            .Evaluate(new PushEvent(Room.Event("m.room.message", "{}")), Group));

    [Fact]
    public void The_master_rule_silences_everything_once_enabled()
    {
        var stored = new PushRuleset { Override = [new() { RuleId = ".m.rule.master", Default = true, Enabled = true }, Own("mine", "notify")] };
        Assert.Equal(".m.rule.master", Evaluate("m.room.message", "{}", rules: PushRuleset.Compose(TestRoom.Bob, stored))?.RuleId);
    }

    [Fact]
    public void Own_rules_come_before_the_default_ones_of_their_kind()
    {
        var rules = PushRuleset.Compose(TestRoom.Bob, new PushRuleset
        {
            Override = [Own("mine", "dont_notify") with { Conditions = [new() { Kind = "event_match", Key = "content.body", Pattern = "quiet" }] }],
            Content = [Own("cake", "notify") with { Pattern = "cake*lie" }],
            Room = [Own("!r:example.org", "coalesce")],
        });
        Assert.Equal("mine", Evaluate("m.room.message", """{"body":"be QUIET, please"}""", rules: rules)?.RuleId);
        Assert.Empty(Evaluate("m.room.message", """{"body":"quiet"}""", rules: rules)!.Actions);
        Assert.Equal("cake", Evaluate("m.room.message", """{"body":"the cake is a lie!"}""", rules: rules)?.RuleId);
        Assert.Equal("!r:example.org", Evaluate("m.room.message", """{"body":"cake is believed"}""", rules: rules)?.RuleId);
        Assert.Equal(".m.rule.master", rules.Override[0].RuleId);
    }

    [Theory]
    [InlineData("event_match", "content.topic", "\"lunc?*\"", """{"topic":"Lunch plans"}""", true)]
    [InlineData("event_match", "content.topic", "\"lunc?*\"", """{"topic":"LUNCH"}""", true)]
    [InlineData("event_match", "content.topic", "\"lunc?*\"", """{"topic":" lunch"}""", false)]
    [InlineData("event_match", "content.topic", "\"lunc?*\"", """{"topic":"lunc"}""", false)]
    [InlineData("event_match", "content.topic", "\"*\"", """{"topic":null}""", false)]
    [InlineData("event_match", "content.body", "\"ex*ple\"", """{"body":"An example event."}""", true)]
    [InlineData("event_match", "content.body", "\"ex*ple\"", """{"body":"exple"}""", true)]
    [InlineData("event_match", "content.body", "\"ex*ple\"", """{"body":"An exciting triple-whammy"}""", true)]
    [InlineData("event_match", "content.body", "\"example\"", """{"body":"examples"}""", false)]
    [InlineData("event_match", "content.body", "\"a?c\"", """{"body":"xabc abc"}""", true)]
    [InlineData("event_match", "content.body", "\"a?c\"", """{"body":"a😀c"}""", true)]
    [InlineData("event_match", "content.body", "\"foo\"", """{"body":"barfoo foo"}""", true)]
    [InlineData("event_match", "content.body", "\"foo\"", """{"body":"barfoo_foo"}""", false)]
    [InlineData("event_property_is", @"content.m\.federate", "true", """{"m.federate":true}""", true)]
    [InlineData("event_property_is", @"content.m\.federate", "true", """{"m.federate":"true"}""", false)]
    [InlineData("event_property_is", @"content.m\.federate", "true", """{"m.federate":1}""", false)]
    [InlineData("event_property_is", @"content.a\\b.c", "null", """{"a\\b":{"c":null}}""", true)]
    [InlineData("event_property_is", "content.a", "[1]", """{"a":[1]}""", false)]
    [InlineData("event_property_is", "room_id", "\"!r:example.org\"", "{}", true)]
    [InlineData("event_property_contains", "content.list", "\"b\"", """{"list":["a",{},"b"]}""", true)]
    [InlineData("event_property_contains", "content.list", "\"b\"", """{"list":["bb"]}""", false)]
    [InlineData("event_property_contains", "content.list", "\"b\"", """{"list":"b"}""", false)]
    [InlineData("room_member_count", null, "\"10\"", "{}", true)]
    [InlineData("room_member_count", null, "\"==10\"", "{}", true)]
    [InlineData("room_member_count", null, "\"<10\"", "{}", false)]
    [InlineData("room_member_count", null, "\"<=10\"", "{}", true)]
    [InlineData("room_member_count", null, "\">9\"", "{}", true)]
    [InlineData("room_member_count", null, "\">=11\"", "{}", false)]
    [InlineData("room_member_count", null, "\"=10\"", "{}", false)]
    [InlineData("room_member_count", null, "\"many\"", "{}", false)]
    [InlineData("contains_display_name", null, "0", """{"body":"Hello bob b!"}""", true)]
    [InlineData("contains_display_name", null, "0", """{"body":"bob bb"}""", false)]
    [InlineData("something_new", null, "0", "{}", false)]
    public void Conditions_hold_as_specified(string kind, string? key, string parameter, string content, bool holds)
    {
        var value = JsonElement.Parse(parameter);
        var text = value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        var condition = new PushCondition { Kind = kind, Key = key, Pattern = text, Is = text, Value = value };
        var rules = new PushRuleset { Override = [Own("x", "notify") with { Conditions = [condition] }] };
        Assert.Equal(holds, Evaluate("m.x", content, rules: rules) is not null);
    }

    [Fact]
    public void Rulesets_keep_their_json_form()
    {
        var json = PushRuleset.Default(TestRoom.Bob).ToJson();
        Assert.Equal(Encoding.UTF8.GetString(json), Encoding.UTF8.GetString(PushRuleset.Parse(json).ToJson()));
        Assert.StartsWith("""{"override":[{"rule_id":".m.rule.master","default":true,"enabled":false,"conditions":[],"actions":[]},""",
            Encoding.UTF8.GetString(json), StringComparison.Ordinal);
        Assert.Throws<InvalidJsonException>(() => PushRuleset.Parse("[]"u8));
    }

    static PushRule Own(string id, string action) => new() { RuleId = id, Actions = [JsonSerializer.SerializeToElement(action)] };
}
