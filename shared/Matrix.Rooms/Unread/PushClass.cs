using System.Security.Cryptography;
using System.Text.Json;
using BitFaster.Caching.Lru;
using Matrix.Protocol;

namespace Matrix.Rooms.Unread;

/// <summary>
/// Push rules as they work in one room for users whom an event does not name. All users with the same rules share one object, so that an event is
/// evaluated once for all of them: in a room of a thousand members nearly all have the ordinary rules.
/// </summary>
public sealed class PushClass
{
    static readonly ConcurrentLru<string, PushClass> Known = new(2000);
    static readonly PushContext ManyMembers = new(100, null, PowerLevels.Read(null, null));
    static readonly JsonElement Notify = JsonElement.Parse("\"notify\"");
    static readonly JsonElement Highlight = JsonElement.Parse("""{"set_tweak":"highlight"}""");

    readonly PushRules rules;

    PushClass(PushRuleset ruleset, RoomId? room)
    {
        rules = PushRules.Compile(ruleset, Nobody);
        NeedsName = Conditions(ruleset).Any(condition => condition.Kind == "contains_display_name");
        NeedsThread = Conditions(ruleset).Any(condition => condition.Kind == PushConditions.ThreadSubscription);
        var main = Evaluate(Sample(room, null), ManyMembers) == Notice.Notify;
        Level = new NotifyLevel(main, NeedsThread ? Evaluate(Sample(room, "$root"), ManyMembers) == Notice.Notify : main);
    }

    /// <summary>The user that rules are compiled for when they are everybody's. An event cannot name it: each process draws it anew.</summary>
    public static UserId Nobody { get; } = UserId.Parse($"@{Guid.NewGuid():N}:nobody");

    /// <summary>The rules of users who never changed any.</summary>
    public static PushClass Ordinary { get; } = Of(PushRuleset.Default(Nobody), null);

    /// <summary>What of what notifies by the ordinary rules counts for these users.</summary>
    public NotifyLevel Level { get; }

    /// <summary>Do the rules look for the user's display name?</summary>
    public bool NeedsName { get; }

    /// <summary>Do the rules ask whether the user is subscribed to the event's thread?</summary>
    public bool NeedsThread { get; }

    /// <summary>The class of composed rules in a room.</summary>
    /// <param name="ruleset">Composed for <see cref="Nobody"/>.</param>
    public static PushClass Of(PushRuleset ruleset, RoomId? room)
    {
        // What does not decide whether an event counts is left out: users with other sounds, or with rules for other rooms, are of one class.
        var plain = new PushRuleset
        {
            Override = Plain(ruleset.Override.Where(rule => !IsOfOtherRoom(rule, room)), keepIds: false),
            Content = Plain(ruleset.Content, keepIds: false),
            PostContent = Plain(ruleset.PostContent, keepIds: false),
            Room = Plain(ruleset.Room.Where(rule => rule.RuleId == room?.ToString()), keepIds: true),
            Sender = Plain(ruleset.Sender, keepIds: true),
            Underride = Plain(ruleset.Underride.Where(rule => !IsOfOtherRoom(rule, room)), keepIds: false),
        };
        var bound = plain.Room.Count > 0 || Conditions(plain).Any(condition => condition.Key == "room_id");
        var key = Convert.ToBase64String(SHA256.HashData(plain.ToJson())) + (bound ? room?.ToString() : "");
        return Known.GetOrAdd(key, static (_, made) => new PushClass(made.plain, made.room), (plain, room));
    }

    public Notice Evaluate(PushEvent e, PushContext context) => ToNotice(rules.Evaluate(e, context));

    public static Notice ToNotice(PushOutcome? outcome) =>
        outcome is not { Notify: true } ? Notice.None : outcome.Highlight ? Notice.Highlight : Notice.Notify;

    static IEnumerable<PushCondition> Conditions(PushRuleset ruleset) =>
        ruleset.Override.Concat(ruleset.PostContent).Concat(ruleset.Underride).SelectMany(rule => rule.Conditions ?? []);

    static List<PushRule> Plain(IEnumerable<PushRule> rules, bool keepIds) =>
        [.. rules.Where(rule => rule.Enabled).Select(rule => rule with { RuleId = keepIds ? rule.RuleId : "", Default = false, Actions = Plain(rule.Actions) })];

    static JsonElement[] Plain(IReadOnlyList<JsonElement> actions) => !actions.Any(action => Is(action, "notify")) ? []
        : actions.FirstOrDefault(IsHighlight) is { ValueKind: JsonValueKind.Object } highlight && IsOn(highlight) ? [Notify, Highlight] : [Notify];

    static bool IsHighlight(JsonElement action) =>
        action.ValueKind == JsonValueKind.Object && action.TryGetProperty("set_tweak", out var tweak) && Is(tweak, "highlight");

    static bool IsOn(JsonElement tweak) => !tweak.TryGetProperty("value", out var value) || value.ValueKind == JsonValueKind.True;

    static bool Is(JsonElement text, string value) => text.ValueKind == JsonValueKind.String && text.ValueEquals(value);

    static bool IsOfOtherRoom(PushRule rule, RoomId? room) => (rule.Conditions ?? []).Any(condition =>
        condition is { Kind: "event_match", Key: "room_id", Pattern: { } pattern } && pattern.AsSpan().IndexOfAny('*', '?') < 0
            && !string.Equals(pattern, room?.ToString(), StringComparison.OrdinalIgnoreCase));

    /// <summary>A message as most are.</summary>
    static PushEvent Sample(RoomId? room, string? thread)
    {
        var content = new Dictionary<string, object> { ["body"] = "", ["msgtype"] = "m.text" };
        if (thread is not null)
            content["m.relates_to"] = new { rel_type = EventRelation.Thread, event_id = thread };
        var json = CanonicalJson.Canonicalize(JsonSerializer.SerializeToUtf8Bytes(new
        {
            auth_events = Array.Empty<string>(),
            content,
            depth = 1,
            hashes = new { sha256 = "" },
            origin_server_ts = 1,
            prev_events = Array.Empty<string>(),
            room_id = room?.ToString() ?? "!room:nobody",
            sender = "@somebody:nobody",
            signatures = new { },
            type = EventTypes.Message,
        }));
        return new PushEvent(Pdu.FromStored(EventId.Parse("$sample"), json, RoomVersions.V11));
    }
}
