using System.Text.Json;

namespace Matrix.Protocol;

/// <summary>What the room and the user add to an event for the push rules.</summary>
/// <param name="MemberCount">How many users are joined.</param>
/// <param name="DisplayName">The user's display name in the room.</param>
/// <param name="Levels">The power levels in force.</param>
/// <param name="IsSubscribed">Is the user subscribed to the thread that the event is in?</param>
public readonly record struct PushContext(int MemberCount, string? DisplayName, PowerLevels Levels, bool IsSubscribed = false);

/// <summary>What push rules want done about an event.</summary>
/// <param name="RuleId">The rule that matched.</param>
/// <param name="Actions">Its actions without the historical ones.</param>
public sealed record PushOutcome(string RuleId, IReadOnlyList<JsonElement> Actions, bool Notify, bool Highlight, string? Sound);

/// <summary>A user's push rules made ready: compiled once, then evaluated for each event. Safe to share between threads.</summary>
public sealed class PushRules
{
    readonly UserId _user;
    readonly List<(Func<PushEvent, PushContext, bool> Matches, PushOutcome Outcome)> _rules = [];

    PushRules(UserId user) => _user = user;

    /// <summary>Makes rules ready; disabled ones are left out.</summary>
    public static PushRules Compile(PushRuleset ruleset, UserId user)
    {
        var rules = new PushRules(user);
        rules.Add(ruleset.Override, rule => PushConditions.Compile(rule.Conditions ?? []));
        rules.Add(ruleset.Content, rule => PushConditions.Match("content.body", rule.Pattern));
        rules.Add(ruleset.PostContent, rule => PushConditions.Compile(rule.Conditions ?? []));
        rules.Add(ruleset.Room, rule => (pushEvent, _) => pushEvent.Text("room_id") == rule.RuleId);
        rules.Add(ruleset.Sender, rule => (pushEvent, _) => pushEvent.Text("sender") == rule.RuleId);
        rules.Add(ruleset.Underride, rule => PushConditions.Compile(rule.Conditions ?? []));
        return rules;
    }

    /// <summary>The outcome of the first rule that matches; null if none does or the user sent the event.</summary>
    public PushOutcome? Evaluate(PushEvent pushEvent, PushContext context)
    {
        if (pushEvent.Pdu.Sender == _user)
            return null;
        foreach (var (matches, outcome) in _rules)
            if (matches(pushEvent, context))
                return outcome;
        return null;
    }

    void Add(IReadOnlyList<PushRule> rules, Func<PushRule, Func<PushEvent, PushContext, bool>> compile)
    {
        foreach (var rule in rules)
            if (rule.Enabled)
                _rules.Add((compile(rule), Outcome(rule)));
    }

    static PushOutcome Outcome(PushRule rule)
    {
        List<JsonElement> actions = [.. rule.Actions.Where(action => !Is(action, "dont_notify") && !Is(action, "coalesce"))];
        var highlight = Tweak(actions, "highlight");
        var sound = Tweak(actions, "sound");
        return new PushOutcome(rule.RuleId, actions, actions.Exists(action => Is(action, "notify")),
            highlight is { } tweak && (!tweak.TryGetProperty("value", out var value) || value.ValueKind == JsonValueKind.True),
            sound is { } named && named.TryGetProperty("value", out var name) && name.ValueKind == JsonValueKind.String ? name.GetString() : null);
    }

    static bool Is(JsonElement action, string name) => action.ValueKind == JsonValueKind.String && action.ValueEquals(name);

    static JsonElement? Tweak(List<JsonElement> actions, string name)
    {
        foreach (var action in actions)
            if (action.ValueKind == JsonValueKind.Object && action.TryGetProperty("set_tweak", out var tweak) && Is(tweak, name))
                return action;
        return null;
    }
}
