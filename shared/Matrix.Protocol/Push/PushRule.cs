using System.Text.Json;
using System.Text.Json.Serialization;

namespace Matrix.Protocol;

/// <summary>A push rule as clients see it (C-S API, Push Rules).</summary>
public sealed record PushRule
{
    [JsonPropertyName("rule_id")]
    public required string RuleId { get; init; }

    /// <summary>Is it one of the server's own? Their ids start with a dot.</summary>
    [JsonPropertyName("default")]
    public bool Default { get; init; }

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
    [JsonPropertyName("kind")]
    public required string Kind { get; init; }

    /// <summary>The path of a property with dots, or the key of a notification level.</summary>
    [JsonPropertyName("key"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Key { get; init; }

    [JsonPropertyName("pattern"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Pattern { get; init; }

    [JsonPropertyName("is"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Is { get; init; }

    [JsonPropertyName("value"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public JsonElement Value { get; init; }

    /// <summary>What unknown kinds of conditions have besides.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Other { get; set; }
}
