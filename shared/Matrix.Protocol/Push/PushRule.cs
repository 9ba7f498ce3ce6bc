using System.Text.Json;
using System.Text.Json.Serialization;

namespace Matrix.Protocol;

/// <summary>A push rule as clients see it (C-S API, Push Rules).</summary>
public sealed record PushRule
{
    /// <summary>Unique among the rules of its kind; of a room rule the room's id, of a sender rule the user's.</summary>
    [JsonPropertyName("rule_id")]
    public required string RuleId { get; init; }

    /// <summary>Is it one of the server's own? Their ids start with a dot.</summary>
    [JsonPropertyName("default")]
    public bool Default { get; init; }

    /// <summary>Rules that are not enabled never match.</summary>
    [JsonPropertyName("enabled")]
    public bool Enabled { get; init; } = true;

    /// <summary>What must all hold; only override and underride rules have it.</summary>
    [JsonPropertyName("conditions"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<PushCondition>? Conditions { get; init; }

    /// <summary>What a content rule looks for in <c>content.body</c>.</summary>
    [JsonPropertyName("pattern"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Pattern { get; init; }

    /// <summary>Strings, or objects such as <c>{"set_tweak": "sound", "value": "default"}</c>.</summary>
    [JsonPropertyName("actions")]
    public IReadOnlyList<JsonElement> Actions { get; init; } = [];
}

/// <summary>A condition of a push rule (C-S API, Conditions). Kinds that are not known never hold.</summary>
public sealed record PushCondition
{
    /// <summary>Such as <c>event_match</c>.</summary>
    [JsonPropertyName("kind")]
    public required string Kind { get; init; }

    /// <summary>The path of a property with dots, or the key of a notification level.</summary>
    [JsonPropertyName("key"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Key { get; init; }

    /// <summary>What <c>event_match</c> looks for: a glob.</summary>
    [JsonPropertyName("pattern"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Pattern { get; init; }

    /// <summary>What <c>room_member_count</c> wants: a number, perhaps with <c>==</c>, <c>&lt;</c>, <c>&gt;</c>, <c>&lt;=</c> or <c>&gt;=</c> before it.</summary>
    [JsonPropertyName("is"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Is { get; init; }

    /// <summary>What <c>event_property_is</c> and <c>event_property_contains</c> look for: a string, an integer, a boolean or null.</summary>
    [JsonPropertyName("value"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public JsonElement Value { get; init; }

    /// <summary>What unknown kinds of conditions have besides.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Other { get; set; }
}
