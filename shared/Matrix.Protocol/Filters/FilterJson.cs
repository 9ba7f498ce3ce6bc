using System.Text.Json;

namespace Matrix.Protocol;

/// <summary>Members of filters, each refused when it has the wrong form. null counts as missing.</summary>
static class FilterJson
{
    /// <summary>By way of the canonical form, which refuses what JsonElement only fails on when it is read: halves of surrogate pairs.</summary>
    public static JsonElement Parse(ReadOnlySpan<byte> json)
    {
        var element = JsonElement.Parse(CanonicalJson.Canonicalize(json, JsonRules.Relaxed));
        return element.ValueKind == JsonValueKind.Object ? element : throw new InvalidJsonException("A filter is an object.");
    }

    public static JsonElement? Object(JsonElement json, string name) => Find(json, name, JsonValueKind.Object);

    public static string? String(JsonElement json, string name) => Find(json, name, JsonValueKind.String)?.GetString();

    public static bool? Bool(JsonElement json, string name)
    {
        if (!Has(json, name, out var value))
            return null;
        return value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw Bad(name);
    }

    public static int? Limit(JsonElement json)
    {
        if (!Has(json, "limit", out var value))
            return null;
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var limit) && limit >= 0
            ? (int)Math.Min(limit, int.MaxValue) : throw Bad("limit");
    }

    public static List<string>? Strings(JsonElement json, string name)
    {
        if (Find(json, name, JsonValueKind.Array) is not { } list)
            return null;
        var strings = new List<string>(list.GetArrayLength());
        foreach (var item in list.EnumerateArray())
            strings.Add(item.ValueKind == JsonValueKind.String ? item.GetString()! : throw Bad(name));
        return strings;
    }

    public static List<T>? Ids<T>(JsonElement json, string name) where T : struct, IParsable<T> =>
        Strings(json, name)?.ConvertAll(text => T.TryParse(text, null, out var id) ? id : throw Bad(name));

    static JsonElement? Find(JsonElement json, string name, JsonValueKind kind)
    {
        if (!Has(json, name, out var value))
            return null;
        return value.ValueKind == kind ? value : throw Bad(name);
    }

    static bool Has(JsonElement json, string name, out JsonElement value)
    {
        if (json.ValueKind != JsonValueKind.Object)
            throw new InvalidJsonException("A filter is an object.");
        return json.TryGetProperty(name, out value) && value.ValueKind != JsonValueKind.Null;
    }

    static InvalidJsonException Bad(string name) => new($"The filter's '{name}' has the wrong form.");
}
