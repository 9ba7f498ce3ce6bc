using System.Runtime.InteropServices;
using System.Text.Json;
using Matrix.Protocol;

namespace Matrix.Rooms.Unread;

/// <summary>The push rules of a user who has changed some, or ignores somebody.</summary>
public sealed class UserPushRules
{
    readonly PushRuleset forNobody;
    readonly Lazy<PushRules> own;

    UserPushRules(UserId user, PushRuleset stored, List<string> ignored, int length)
    {
        // what is compiled of a rule weighs several times its text
        Weight = 4000 + 8L * length;
        var silent = ignored.Select(Silence).ToList();
        KnowsThreads = stored.PostContent.Count > 0;
        forNobody = With(silent, PushRuleset.Compose(PushClass.Nobody, stored));
        own = new Lazy<PushRules>(() => PushRules.Compile(With(silent, PushRuleset.Compose(user, stored)), user));
    }

    /// <summary>Bytes of memory, roughly.</summary>
    public long Weight { get; }

    /// <summary>Were the rules about threads ever turned on?</summary>
    public bool KnowsThreads { get; }

    /// <param name="content">The account data <c>m.push_rules</c>, if there is any.</param>
    /// <param name="ignoredContent">The account data <c>m.ignored_user_list</c>, if there is any.</param>
    /// <returns>Null: nothing in them that makes a difference, so the ordinary rules hold.</returns>
    public static UserPushRules? Read(UserId user, string? content, string? ignoredContent)
    {
        var ignored = ReadIgnored(ignoredContent).Where(id => id != user.ToString()).ToList();
        var rules = ReadRules(content);
        return rules is null && ignored.Count == 0
            ? null : new UserPushRules(user, rules ?? new PushRuleset(), ignored, (content?.Length ?? 0) + (ignoredContent?.Length ?? 0));
    }

    static PushRuleset? ReadRules(string? content)
    {
        try
        {
            return content is not null && JsonElement.Parse(content).TryGetProperty("global", out var global)
                ? PushRuleset.Parse(JsonMarshal.GetRawUtf8Value(global)) : null;
        }
        catch (Exception e) when (e is JsonException or InvalidJsonException)
        {
            return null;
        }
    }

    static IEnumerable<string> ReadIgnored(string? content) =>
        content is not null && JsonElement.Parse(content) is { ValueKind: JsonValueKind.Object } list
            && list.TryGetProperty("ignored_users", out var users) && users.ValueKind == JsonValueKind.Object
            ? users.EnumerateObject().Select(user => user.Name) : [];

    // Clients are not shown what ignored users send, so it must not count (C-S API, Ignoring Users).
    static PushRule Silence(string sender) => new()
    {
        RuleId = "",
        Conditions = [new PushCondition { Kind = "event_property_is", Key = "sender", Value = JsonSerializer.SerializeToElement(sender) }],
    };

    static PushRuleset With(List<PushRule> first, PushRuleset rules) => first.Count == 0 ? rules : rules with { Override = [.. first, .. rules.Override] };

    /// <summary>How the rules work in a room when an event does not name the user.</summary>
    public PushClass In(RoomId room) => PushClass.Of(forNobody, room);

    public Notice Evaluate(PushEvent e, PushContext context) => PushClass.ToNotice(Judge(e, context));

    /// <summary>The rule that matches, with what it wants done; null if none does.</summary>
    public PushOutcome? Judge(PushEvent e, PushContext context) => own.Value.Evaluate(e, context);
}
