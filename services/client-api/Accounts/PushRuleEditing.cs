using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.ClientApi.Accounts;

/// <summary>Changes to a ruleset, each giving a new one (Client-Server API, Push rules: API).</summary>
static class PushRuleEditing
{
    /// <exception cref="MatrixException">400: there is no such kind; 404: there is no such rule.</exception>
    public static PushRule Get(this PushRuleset ruleset, string kind, string ruleId) =>
        ruleset.Rules(kind).FirstOrDefault(rule => rule.RuleId == ruleId) ?? throw MatrixException.NotFound("There is no such push rule.");

    /// <summary>Replaces a rule where it stands; works for predefined ones too.</summary>
    public static PushRuleset Replace(this PushRuleset ruleset, string kind, string ruleId, Func<PushRule, PushRule> change)
    {
        var old = ruleset.Get(kind, ruleId);
        return ruleset.With(kind, [.. ruleset.Rules(kind).Select(rule => ReferenceEquals(rule, old) ? change(rule) : rule)]);
    }

    /// <summary>Adds or changes a user's own rule.</summary>
    /// <param name="before">The rule that comes right after it.</param>
    /// <param name="after">The rule that comes right before it.</param>
    public static PushRuleset Put(this PushRuleset ruleset, string kind, PushRule rule, string? before, string? after)
    {
        var rules = ruleset.Rules(kind).ToList();
        var known = rules.FindIndex(other => other.RuleId == rule.RuleId);
        if (known >= 0)
        {
            rule = rule with { Enabled = rules[known].Enabled };
            if (before is null && after is null)
            {
                rules[known] = rule;
                return ruleset.With(kind, rules);
            }

            rules.RemoveAt(known);
        }

        rules.Insert(Place(rules, before, after), rule);
        return ruleset.With(kind, rules);
    }

    /// <summary>Deletes a user's own rule.</summary>
    public static PushRuleset Delete(this PushRuleset ruleset, string kind, string ruleId)
    {
        if (ruleset.Get(kind, ruleId).Default) throw MatrixException.InvalidParam("A predefined push rule cannot be deleted.");
        return ruleset.With(kind, [.. ruleset.Rules(kind).Where(rule => rule.RuleId != ruleId)]);
    }

    static int Place(List<PushRule> rules, string? before, string? after)
    {
        if ((before ?? after) is not { } neighbour) return rules.FindIndex(rule => !rule.Default) is var first and >= 0 ? first : 0;
        var at = rules.FindIndex(rule => rule.RuleId == neighbour && !rule.Default);
        if (at < 0) throw MatrixException.Unknown($"before/after rule not found: {neighbour}", 400);
        return before is null ? at + 1 : at;
    }

    static IReadOnlyList<PushRule> Rules(this PushRuleset ruleset, string kind) =>
        ruleset.OfKind(kind) ?? throw MatrixException.InvalidParam($"There is no kind of push rule '{kind}'.");

    static PushRuleset With(this PushRuleset ruleset, string kind, IReadOnlyList<PushRule> rules) => kind switch
    {
        "override" => ruleset with { Override = rules },
        "content" => ruleset with { Content = rules },
        "postcontent" => ruleset with { PostContent = rules },
        "room" => ruleset with { Room = rules },
        "sender" => ruleset with { Sender = rules },
        _ => ruleset with { Underride = rules },
    };
}
