using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.ClientApi.Tests.Errors;

/// <summary>Bodies that are wrong in one place, made from what a handler says that it takes.</summary>
sealed class BadBodies(User user, string room)
{
    const int Deepest = 3;

    // no JSON at all, or none that is an object; and what a parser may stumble over
    public static readonly (string Name, string Text, string? Errcode)[] NoObjects =
    [
        ("text", "not json", "M_NOT_JSON"),
        ("half an object", "{\"a\":", "M_NOT_JSON"),
        ("two objects", "{}{}", "M_NOT_JSON"),
        ("array", "[]", "M_BAD_JSON"),
        ("null", "null", "M_BAD_JSON"),
        ("number", "1", "M_BAD_JSON"),
        ("string", "\"x\"", "M_BAD_JSON"),
        ("deep array", "{\"a\":" + new string('[', 20_000) + new string(']', 20_000) + "}", null),
        ("deep object", string.Concat(Enumerable.Repeat("{\"a\":", 5_000)) + "1" + new string('}', 5_000), null),
        ("half a surrogate pair", "{\"a\":\"\\ud800\"}", "M_BAD_JSON"),
        ("half a surrogate pair deep inside", "{\"a\":[{\"b\":\"x\\uDC00\"}]}", "M_BAD_JSON"),
        ("half a surrogate pair as a name", "{\"a\":{\"\\udbff\":1}}", "M_BAD_JSON"),
        ("NUL", "{\"a\":\"\\u0000\",\"\\u0000\":1}", null),
    ];

    static readonly (string Name, string Json)[] Wrong =
    [
        ("null", "null"), ("true", "true"), ("-1", "-1"), ("a fraction", "1.5"), ("a huge number", "1e308"), ("above 2^53", "9007199254740993"),
        ("empty text", "\"\""), ("text", "\"x\""), ("NUL", "\"\\u0000\""), ("long text", $"\"{new string('x', 70_000)}\""),
        ("[]", "[]"), ("[[]]", "[[]]"), ("[null]", "[null]"), ("{}", "{}"), ("object", "{\"a\":{\"b\":null}}"),
    ];

    /// <summary>One for each member that the type has and each wrong value; <c>Refused</c> where no reading makes it good.</summary>
    public IEnumerable<(string Name, string Text, bool Refused)> Of(Type type)
    {
        var good = Sample(type, 0) as JsonObject ?? [];
        foreach (var (path, member) in Members(type, [], 0))
        {
            foreach (var (name, json) in Wrong)
            {
                var body = good.DeepClone().AsObject();
                Set(body, path, JsonNode.Parse(json));
                yield return ($"{string.Join('.', path)} is {name}", body.ToJsonString(), !Fits(member, json));
            }
        }
    }

    static bool Fits(Type type, string json)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (json == "null" || type == typeof(JsonElement) || typeof(JsonNode).IsAssignableFrom(type) || type == typeof(object))
            return true;
        return MatrixJson.Options.GetTypeInfo(type).Kind switch
        {
            JsonTypeInfoKind.Object or JsonTypeInfoKind.Dictionary => json[0] == '{',
            JsonTypeInfoKind.Enumerable => json[0] == '[',
            _ when type == typeof(bool) => json == "true",
            _ when type == typeof(string) => json[0] == '"',
            _ when type.IsPrimitive => json[0] is '-' or (>= '0' and <= '9'),
            _ => true, // one that reads itself
        };
    }

    static IEnumerable<(string[] Path, Type Type)> Members(Type type, string[] path, int depth)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (depth > Deepest || type == typeof(JsonElement) || typeof(JsonNode).IsAssignableFrom(type))
            yield break;
        var info = MatrixJson.Options.GetTypeInfo(type);
        if (info.Kind == JsonTypeInfoKind.Object)
        {
            foreach (var property in info.Properties.Where(property => property.Set is not null || property.AssociatedParameter is not null))
            {
                string[] inner = [.. path, property.Name];
                yield return (inner, property.PropertyType);
                foreach (var deeper in Members(property.PropertyType, inner, depth + 1))
                    yield return deeper;
            }
        }
        else if (info.ElementType is { } element && info.Kind is JsonTypeInfoKind.Enumerable or JsonTypeInfoKind.Dictionary)
        {
            string[] inner = [.. path, info.Kind == JsonTypeInfoKind.Enumerable ? "0" : "key"];
            if (path.Length > 0)
                yield return (inner, info.ElementType!);
            foreach (var deeper in Members(info.ElementType!, inner, depth + 1))
                yield return deeper;
        }
    }

    static void Set(JsonObject body, string[] path, JsonNode? value)
    {
        JsonNode at = body;
        foreach (var name in path[..^1])
        {
            var next = at is JsonArray array ? array[0] : at[name];
            if (next is null)
                return;
            at = next;
        }
        if (at is JsonArray list && list.Count > 0)
            list[0] = value;
        else if (at is JsonObject map)
            map[map.ContainsKey(path[^1]) || path[^1] != "key" ? path[^1] : map.FirstOrDefault().Key ?? "key"] = value;
    }

    JsonNode? Sample(Type type, int depth)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type == typeof(JsonElement) || typeof(JsonNode).IsAssignableFrom(type) || type == typeof(object))
            return new JsonObject();
        if (type == typeof(string))
            return "x";
        if (type == typeof(bool))
            return true;
        if (type == typeof(UserId))
            return user.UserId;
        if (type == typeof(RoomId))
            return room;
        if (type == typeof(EventId))
            return "$nothing";
        if (type.IsPrimitive)
            return 1;
        var info = MatrixJson.Options.GetTypeInfo(type);
        if (depth > Deepest || info.Kind == JsonTypeInfoKind.None)
            return "x";
        return info.Kind switch
        {
            JsonTypeInfoKind.Enumerable => new JsonArray(Sample(info.ElementType!, depth + 1)),
            JsonTypeInfoKind.Dictionary => new JsonObject { [info.KeyType == typeof(UserId) ? user.UserId : info.KeyType == typeof(RoomId) ? room : "key"] = Sample(info.ElementType!, depth + 1) },
            _ => new JsonObject(info.Properties.Where(property => property.AssociatedParameter is not null || property.Set is not null)
                .Select(property => KeyValuePair.Create(property.Name, Sample(property.PropertyType, depth + 1)))),
        };
    }
}
