using System.Text.Json;
using Matrix.Protocol;

namespace Matrix.Rooms.Tests.Unread;

/// <summary>What people do to their push rules.</summary>
static class PushRuleSamples
{
    static readonly JsonElement Notify = JsonElement.Parse("\"notify\"");
    static readonly JsonElement Highlight = JsonElement.Parse("""{"set_tweak":"highlight"}""");
    static readonly JsonElement Sound = JsonElement.Parse("""{"set_tweak":"sound","value":"ring"}""");

    public static PushRuleset Change(PushRuleset rules, RoomId room, UserId other, Random random, out string what)
    {
        (what, rules) = random.Next(14) switch
        {
            0 => ("mutes the room", rules with { Override = Put(rules.Override, Rule(room.ToString(), [Match("room_id", room.ToString())])) }),
            1 => ("wants only mentions", rules with { Room = Put(rules.Room, Rule(room.ToString(), null)) }),
            2 => ("wants all of the room", rules with { Room = Put(rules.Room, Rule(room.ToString(), null, Notify, Sound)) }),
            3 => ("is told of cake", rules with { Content = Put(rules.Content, Rule("cake", null, Notify, Highlight) with { Pattern = "cake" }) }),
            4 => ("turns off groups", rules with { Underride = Put(Put(rules.Underride, Off(".m.rule.message")), Off(".m.rule.encrypted")) }),
            5 => ("turns off all", rules with { Override = Put(rules.Override, Rule(".m.rule.master", [])) }),
            6 => ("turns on again", rules with { Override = Put(rules.Override, Rule(".m.rule.master", []) with { Enabled = false }) }),
            7 => ("ignores one sender", rules with { Sender = Put(rules.Sender, Rule(other.ToString(), null)) }),
            8 => ("listens for the name", rules with
            {
                Override = Put(rules.Override, Rule("name", [new PushCondition { Kind = "contains_display_name" }], Notify, Highlight)),
            }),
            9 => ("is told of topics", rules with { Underride = Put(rules.Underride, Rule("topic", [Match("type", EventTypes.Topic)], Notify)) }),
            10 => ("hears reactions where few are", rules with
            {
                Override = Put(rules.Override, Rule("few", [Match("type", EventTypes.Reaction), new() { Kind = "room_member_count", Is = "<3" }], Notify)),
            }),
            11 or 12 => ("follows threads", rules with
            {
                PostContent = [Rule(PushRuleset.UnsubscribedThread, []), Rule(PushRuleset.SubscribedThread, [], Notify, Sound)],
            }),
            _ => ("forgets all rules", new PushRuleset()),
        };
        return rules;
    }

    static PushRule Off(string id) => Rule(id, null) with { Enabled = false };

    static List<PushRule> Put(IReadOnlyList<PushRule> rules, PushRule rule) => [.. rules.Where(r => r.RuleId != rule.RuleId), rule];

    static PushRule Rule(string id, PushCondition[]? conditions, params JsonElement[] actions) =>
        new() { RuleId = id, Default = id.StartsWith('.'), Conditions = conditions, Actions = actions };

    static PushCondition Match(string key, string pattern) => new() { Kind = "event_match", Key = key, Pattern = pattern };
}
