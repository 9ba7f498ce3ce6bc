using System.Text.Json;
using Matrix.Http;

namespace Matrix.ClientApi.Sync.Filters;

/// <summary>Reads members of a filter and refuses those of the wrong shape with M_BAD_JSON.</summary>
readonly struct FilterReader
{
    readonly JsonElement json;

    public FilterReader(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
            throw MatrixException.BadJson("A filter must be an object.");
        this.json = json;
    }

    public IReadOnlyList<string>? Strings(string name)
    {
        if (Find(name) is not { } list)
            return null;
        if (list.ValueKind != JsonValueKind.Array || list.EnumerateArray().Any(item => item.ValueKind != JsonValueKind.String))
            throw MatrixException.BadJson($"'{name}' of a filter must be a list of strings.");
        return [.. list.EnumerateArray().Select(item => item.GetString()!)];
    }

    public bool? Boolean(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        _ => throw MatrixException.BadJson($"'{name}' of a filter must be true or false."),
    };

    public int? Limit(string name)
    {
        if (Find(name) is not { } number)
            return null;
        if (number.ValueKind != JsonValueKind.Number || !number.TryGetInt64(out var value) || value < 0)
            throw MatrixException.BadJson($"'{name}' of a filter must be a whole number, not negative.");
        return (int)Math.Min(value, EventFilter.MaxLimit);
    }

    public string? Choice(string name, params ReadOnlySpan<string> choices)
    {
        if (Find(name) is not { } text)
            return null;
        if (text.ValueKind == JsonValueKind.String)
        {
            foreach (var choice in choices)
            {
                if (text.ValueEquals(choice))
                    return choice;
            }
        }
        throw MatrixException.BadJson($"'{name}' of a filter is not known.");
    }

    public EventFilter Filter(string name) => Find(name) is { } filter ? EventFilter.Parse(filter) : EventFilter.Everything;

    public JsonElement? Find(string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
}
