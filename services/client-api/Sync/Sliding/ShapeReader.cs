using System.Text.Json;
using Matrix.ClientApi.Sync.Devices;
using Matrix.Http;

namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>
/// Reads the body of a request, in the form that clients send today (pairs in required_state, ranges) and in the proposal's (MSC4186:
/// include and exclude, one range). Everything has a limit.
/// </summary>
static class ShapeReader
{
    const int MostLists = 100, MostSubscriptions = 1000, MostRanges = 20, MostPatterns = 500, MostNames = 1000, LongestConnId = 255;
    const int MostEvents = 100;

    public static SlidingShape Read(JsonElement body, string userId)
    {
        var connId = Text(body, "conn_id") ?? "";
        if (connId.Length > LongestConnId)
            throw MatrixException.InvalidParam("'conn_id' is too long.");
        var lists = Members(body, "lists", MostLists)
            .Select(list => new ListShape(list.Name, Ranges(list.Value), Filter(list.Value), Config(list.Value, userId))).ToList();
        var subscriptions = Members(body, "room_subscriptions", MostSubscriptions)
            .DistinctBy(room => room.Name).ToDictionary(room => room.Name, room => Config(room.Value, userId), StringComparer.Ordinal);
        return new SlidingShape(connId, lists, subscriptions, Extensions(Object(body, "extensions")));
    }

    static RoomConfig Config(JsonElement json, string userId)
    {
        var limit = Number(json, "timeline_limit") ?? 0;
        return new RoomConfig((int)Math.Clamp(limit, 0, MostEvents), RequiredState.Of(Clause(json, userId)));
    }

    static StateClause Clause(JsonElement json, string userId)
    {
        if (!json.TryGetProperty("required_state", out var required) || required.ValueKind == JsonValueKind.Null)
            return new StateClause([], [], false);
        if (required.ValueKind == JsonValueKind.Object)
            return new StateClause(Elements(required, "include"), Elements(required, "exclude"), Flag(required, "lazy_members") ?? false);
        var lazy = false;
        var include = new List<StatePattern>();
        foreach (var pair in Items(required, MostPatterns, "required_state"))
        {
            if (pair.ValueKind != JsonValueKind.Array || pair.GetArrayLength() != 2
                || pair[0].ValueKind != JsonValueKind.String || pair[1].ValueKind != JsonValueKind.String)
                throw MatrixException.BadJson("'required_state' must hold pairs of type and state key.");
            var (type, key) = (pair[0].GetString()!, pair[1].GetString()!);
            if (key == "$LAZY")
                lazy |= type == "m.room.member";
            else
                include.Add(new StatePattern(type == "*" ? null : type, key switch { "*" => null, "$ME" => userId, _ => key }));
        }
        return new StateClause(include, [], lazy);
    }

    static List<StatePattern> Elements(JsonElement json, string name) => !json.TryGetProperty(name, out var elements) ? []
        : [.. Items(elements, MostPatterns, name).Select(element => element.ValueKind == JsonValueKind.Object
            ? new StatePattern(Text(element, "type"), Text(element, "state_key"))
            : throw MatrixException.BadJson($"'{name}' must hold objects."))];

    static List<ListRange> Ranges(JsonElement list)
    {
        if (list.TryGetProperty("range", out var range))
            return [Range(range)];
        if (!list.TryGetProperty("ranges", out var ranges) || ranges.ValueKind == JsonValueKind.Null)
            return [new ListRange(0, int.MaxValue)];
        // Ranges that touch or overlap are one.
        var merged = new List<ListRange>();
        foreach (var next in Items(ranges, MostRanges, "ranges").Select(Range).OrderBy(r => r.From))
        {
            if (merged.Count > 0 && next.From <= (long)merged[^1].To + 1)
                merged[^1] = merged[^1] with { To = Math.Max(merged[^1].To, next.To) };
            else
                merged.Add(next);
        }
        return merged;
    }

    static ListRange Range(JsonElement json) =>
        json.ValueKind == JsonValueKind.Array && json.GetArrayLength() == 2 && Index(json[0]) is { } from && Index(json[1]) is { } to && from <= to
            ? new ListRange(from, to)
            : throw MatrixException.InvalidParam("A range must be two indexes, the smaller one first.");

    static int? Index(JsonElement json) =>
        json.ValueKind == JsonValueKind.Number && json.TryGetInt64(out var index) && index >= 0 ? (int)Math.Min(index, int.MaxValue) : null;

    static RoomListFilter Filter(JsonElement list)
    {
        if (Object(list, "filters") is not { ValueKind: JsonValueKind.Object } filters)
            return RoomListFilter.None;
        return new RoomListFilter(
            Flag(filters, "is_dm"), Flag(filters, "is_encrypted"), Flag(filters, "is_invite") ?? Flag(filters, "is_invited"), Names(filters, "spaces"),
            Texts(filters, "room_types"), Texts(filters, "not_room_types"), Names(filters, "tags"), Names(filters, "not_tags"));
    }

    static ExtensionsShape Extensions(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
            return ExtensionsShape.None;
        var toDevice = Object(json, "to_device");
        var threads = Object(json, "io.element.msc4308.thread_subscriptions");
        return new ExtensionsShape(
            Enabled(toDevice) ? (int)Math.Clamp(Number(toDevice, "limit") ?? ToDeviceReader.MostAtOnce, 1, ToDeviceReader.MostAtOnce) : null,
            Enabled(Object(json, "e2ee")), Scope(Object(json, "account_data")), Scope(Object(json, "receipts")), Scope(Object(json, "typing")),
            Enabled(threads)
                ? (int)Math.Clamp(Number(threads, "limit") ?? ThreadSubscriptionsExtension.DefaultLimit, 1, ThreadSubscriptionsExtension.MostLimit) : null);
    }

    static ExtensionScope Scope(JsonElement json) => !Enabled(json) ? ExtensionScope.Off : new ExtensionScope(true, Chosen(json, "lists"), Chosen(json, "rooms"));

    static List<string>? Chosen(JsonElement json, string name) => Names(json, name) is { } names && !names.Contains("*") ? names : null;

    static bool Enabled(JsonElement json) => json.ValueKind == JsonValueKind.Object && (Flag(json, "enabled") ?? false);

    static JsonElement Object(JsonElement json, string name) => !json.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null ? default
        : value.ValueKind == JsonValueKind.Object ? value
        : throw MatrixException.BadJson($"'{name}' must be an object.");

    static IReadOnlyList<JsonProperty> Members(JsonElement json, string name, int most)
    {
        if (Object(json, name) is not { ValueKind: JsonValueKind.Object } value)
            return [];
        IReadOnlyList<JsonProperty> members = [.. value.EnumerateObject()];
        if (members.Any(member => member.Value.ValueKind != JsonValueKind.Object))
            throw MatrixException.BadJson($"'{name}' must hold objects.");
        return members.Count <= most ? members : throw MatrixException.InvalidParam($"'{name}' has more than {most} entries.");
    }

    static IReadOnlyList<JsonElement> Items(JsonElement json, int most, string name) => json.ValueKind != JsonValueKind.Array
        ? throw MatrixException.BadJson($"'{name}' must be a list.")
        : json.GetArrayLength() > most ? throw MatrixException.InvalidParam($"'{name}' has more than {most} entries.")
        : [.. json.EnumerateArray()];

    static IReadOnlyList<string?>? Texts(JsonElement json, string name) => !json.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null
        ? null
        : [.. Items(value, MostNames, name).Select(item => item.ValueKind switch
        {
            JsonValueKind.Null => null,
            JsonValueKind.String => item.GetString(),
            _ => throw MatrixException.BadJson($"'{name}' must hold texts."),
        })];

    static List<string>? Names(JsonElement json, string name) => Texts(json, name)?.OfType<string>().ToList();

    static string? Text(JsonElement json, string name) => !json.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString()
        : throw MatrixException.BadJson($"'{name}' must be a text.");

    static bool? Flag(JsonElement json, string name) => !json.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean()
        : throw MatrixException.BadJson($"'{name}' must be true or false.");

    static long? Number(JsonElement json, string name) => !json.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number
        : throw MatrixException.BadJson($"'{name}' must be a whole number.");
}
