using System.Text.Json;
using System.Text.Json.Serialization;

namespace Matrix.Protocol;

/// <summary>A user's push rules, in each list the most important first (C-S API, Push Rulesets). Its JSON is the value of <c>global</c>.</summary>
public sealed record PushRuleset
{
    /// <summary>The predefined rule that keeps silent what is said in threads that a user is not subscribed to (MSC4306).</summary>
    public const string UnsubscribedThread = ".io.element.msc4306.rule.unsubscribed_thread";

    /// <summary>The predefined rule that tells of what is said in threads that a user is subscribed to (MSC4306).</summary>
    public const string SubscribedThread = ".io.element.msc4306.rule.subscribed_thread";

    /// <summary>The first to be asked, with conditions.</summary>
    [JsonPropertyName("override")]
    public IReadOnlyList<PushRule> Override { get; init; } = [];

    /// <summary>With patterns for <c>content.body</c>.</summary>
    [JsonPropertyName("content")]
    public IReadOnlyList<PushRule> Content { get; init; } = [];

    /// <summary>The server's rules between those for contents and those for rooms: about threads (MSC4306). Users have none of their own.</summary>
    [JsonPropertyName("postcontent")]
    public IReadOnlyList<PushRule> PostContent { get; init; } = [];

    /// <summary>For all events of a room.</summary>
    [JsonPropertyName("room")]
    public IReadOnlyList<PushRule> Room { get; init; } = [];

    /// <summary>For all events of a sender.</summary>
    [JsonPropertyName("sender")]
    public IReadOnlyList<PushRule> Sender { get; init; } = [];

    /// <summary>The last to be asked, with conditions.</summary>
    [JsonPropertyName("underride")]
    public IReadOnlyList<PushRule> Underride { get; init; } = [];

    /// <summary>The rules that every user has (C-S API, Predefined Rules).</summary>
    public static PushRuleset Default(UserId user) => DefaultPushRules.For(user);

    /// <summary>
    /// The defaults with a user's own rules and changes over them: own rules stand before the defaults of their kind, but behind
    /// <c>.m.rule.master</c>; of a default rule only <c>enabled</c> and <c>actions</c> can have been changed.
    /// </summary>
    /// <param name="stored">The user's own rules, and those default rules that the user changed.</param>
    public static PushRuleset Compose(UserId user, PushRuleset stored)
    {
        var defaults = Default(user);
        return new PushRuleset
        {
            Override = Merge(stored.Override, defaults.Override),
            Content = Merge(stored.Content, defaults.Content),
            PostContent = Merge(stored.PostContent, defaults.PostContent),
            Room = Merge(stored.Room, defaults.Room),
            Sender = Merge(stored.Sender, defaults.Sender),
            Underride = Merge(stored.Underride, defaults.Underride),
        };
    }

    /// <summary>The rules of a kind: override, content, postcontent, room, sender or underride; null for any other word.</summary>
    public IReadOnlyList<PushRule>? OfKind(string kind) => kind switch
    {
        "override" => Override,
        "content" => Content,
        "postcontent" => PostContent,
        "room" => Room,
        "sender" => Sender,
        "underride" => Underride,
        _ => null,
    };

    /// <summary>Reads the JSON that <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="InvalidJsonException">It is not a ruleset.</exception>
    public static PushRuleset Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            // Through the canonical form, which refuses halves of surrogate pairs.
            return JsonSerializer.Deserialize(CanonicalJson.Canonicalize(json, JsonRules.Relaxed), PlainJson.Default.PushRuleset) ?? new PushRuleset();
        }
        catch (JsonException)
        {
            throw new InvalidJsonException("Not a set of push rules.");
        }
    }

    /// <summary>The JSON form, as clients get it.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, PlainJson.Default.PushRuleset);

    static List<PushRule> Merge(IReadOnlyList<PushRule> stored, IReadOnlyList<PushRule> defaults)
    {
        var merged = new List<PushRule>(stored.Count + defaults.Count);
        var changes = stored.Where(rule => rule.RuleId.StartsWith('.')).ToDictionary(rule => rule.RuleId);
        var changed = defaults.Select(rule => changes.TryGetValue(rule.RuleId, out var change)
            ? rule with { Enabled = change.Enabled, Actions = change.Actions } : rule).ToList();
        merged.AddRange(changed.Where(rule => rule.RuleId == DefaultPushRules.Master));
        merged.AddRange(stored.Where(rule => !rule.RuleId.StartsWith('.')));
        merged.AddRange(changed.Where(rule => rule.RuleId != DefaultPushRules.Master));
        return merged;
    }
}
