using System.Text.Json;

namespace Matrix.Protocol;

/// <summary>The predefined rules of the specification, version 1.19.</summary>
static class DefaultPushRules
{
    public const string Master = ".m.rule.master";

    static readonly JsonElement Notify = JsonElement.Parse("\"notify\"");
    static readonly JsonElement Sound = JsonElement.Parse("""{"set_tweak":"sound","value":"default"}""");
    static readonly JsonElement Ring = JsonElement.Parse("""{"set_tweak":"sound","value":"ring"}""");
    static readonly JsonElement Highlight = JsonElement.Parse("""{"set_tweak":"highlight"}""");
    static readonly JsonElement True = JsonElement.Parse("true");
    static readonly JsonElement ReplaceType = JsonElement.Parse("\"m.replace\"");

    static readonly PushRule[] Underride =
    [
        Rule(".m.rule.call", [Match("type", "m.call.invite")], Notify, Ring),
        Rule(".m.rule.encrypted_room_one_to_one", [TwoMembers, Match("type", EventTypes.Encrypted)], Notify, Sound),
        Rule(".m.rule.room_one_to_one", [TwoMembers, Match("type", EventTypes.Message)], Notify, Sound),
        Rule(".m.rule.message", [Match("type", EventTypes.Message)], Notify),
        Rule(".m.rule.encrypted", [Match("type", EventTypes.Encrypted)], Notify),
    ];

    // Off until the user's clients subscribe to threads: without, nobody would be told of a message in one (MSC4306).
    static readonly PushRule[] PostContent =
    [
        Rule(PushRuleset.UnsubscribedThread, [InThread(subscribed: false)]) with { Enabled = false },
        Rule(PushRuleset.SubscribedThread, [InThread(subscribed: true)], Notify, Sound) with { Enabled = false },
    ];

    static PushCondition TwoMembers => new() { Kind = "room_member_count", Is = "2" };

    public static PushRuleset For(UserId user) => new()
    {
        Override =
        [
            Rule(Master, []) with { Enabled = false },
            Rule(".m.rule.suppress_notices", [Match("content.msgtype", "m.notice")]),
            Rule(".m.rule.invite_for_me",
                [Match("type", EventTypes.Member), Match("content.membership", "invite"), Match("state_key", user.ToString())], Notify, Sound),
            Rule(".m.rule.member_event", [Match("type", EventTypes.Member)]),
            Rule(".m.rule.is_user_mention", [Contains(@"content.m\.mentions.user_ids", user)], Notify, Sound, Highlight),
            Rule(".m.rule.is_room_mention",
                [Is(@"content.m\.mentions.room", True), new() { Kind = "sender_notification_permission", Key = "room" }], Notify, Highlight),
            Rule(".m.rule.tombstone", [Match("type", EventTypes.Tombstone), Match("state_key", "")], Notify, Highlight),
            Rule(".m.rule.reaction", [Match("type", EventTypes.Reaction)]),
            Rule(".m.rule.room.server_acl", [Match("type", EventTypes.ServerAcl), Match("state_key", "")]),
            Rule(".m.rule.suppress_edits", [Is(@"content.m\.relates_to.rel_type", ReplaceType)]),
        ],
        PostContent = PostContent,
        Underride = Underride,
    };

    static PushRule Rule(string id, PushCondition[] conditions, params JsonElement[] actions) =>
        new() { RuleId = id, Default = true, Conditions = conditions, Actions = actions };

    static PushCondition Match(string key, string pattern) => new() { Kind = "event_match", Key = key, Pattern = pattern };

    static PushCondition InThread(bool subscribed) => new()
    {
        Kind = PushConditions.ThreadSubscription,
        Other = new Dictionary<string, JsonElement> { ["subscribed"] = subscribed ? True : JsonElement.Parse("false") },
    };

    static PushCondition Is(string key, JsonElement value) => new() { Kind = "event_property_is", Key = key, Value = value };

    static PushCondition Contains(string key, UserId user) =>
        new() { Kind = "event_property_contains", Key = key, Value = JsonSerializer.SerializeToElement(user.ToString(), PlainJson.Default.String) };
}
