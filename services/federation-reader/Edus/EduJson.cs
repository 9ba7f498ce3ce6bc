using System.Text.Json;
using Matrix.Protocol;

namespace Matrix.FederationReader.Edus;

/// <summary>Looks into JSON that may have any form.</summary>
static class EduJson
{
    const int LongestText = 512;

    /// <summary>An object's member that is an object; or null.</summary>
    public static JsonElement? Member(this JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Object ? value : null;

    /// <summary>An object's member that is a text of the size of a name; or null.</summary>
    public static string? Text(this JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 and <= LongestText } text
            && !text.Contains('\0', StringComparison.Ordinal) ? text : null;

    public static long? Number(this JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number : null;

    /// <summary>Is it the id of a user of this server?</summary>
    public static bool IsUserOf(this ServerName server, string? text) => UserId.TryParse(text, out var userId) && userId.Server == server;
}
