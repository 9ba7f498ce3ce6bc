using System.Text.Json;
using Matrix.Protocol;

namespace Matrix.Rooms.Spaces;

/// <summary>What m.space.child events say (C-S API, m.space.child).</summary>
public static class SpaceChildren
{
    /// <summary>Is it a child at all? Without servers by which to reach it it is none.</summary>
    public static bool HasVia(JsonElement content) =>
        content.ValueKind == JsonValueKind.Object && content.TryGetProperty("via", out var via) && via.ValueKind == JsonValueKind.Array && via.GetArrayLength() > 0;

    public static bool IsSuggested(JsonElement content) => content.TryGetProperty("suggested", out var suggested) && suggested.ValueKind == JsonValueKind.True;

    /// <summary>Servers by which the child may be reached.</summary>
    public static IReadOnlyList<ServerName> Via(JsonElement content) => !HasVia(content) ? [] :
    [
        .. content.GetProperty("via").EnumerateArray().Where(name => name.ValueKind == JsonValueKind.String && ServerName.TryParse(name.GetString(), out _))
            .Select(name => ServerName.Parse(name.GetString()!)).Take(5),
    ];

    /// <summary>At most 50 characters of printable ASCII; anything else counts as none.</summary>
    public static string? Order(JsonElement content) =>
        content.TryGetProperty("order", out var order) && order.ValueKind == JsonValueKind.String && order.GetString() is { Length: <= 50 } text
            && text.All(c => c is >= ' ' and <= '~') ? text : null;
}
