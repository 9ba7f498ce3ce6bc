using System.Globalization;
using System.Text.Json;
using Matrix.Http;
using Matrix.Replication;

namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>
/// How far a device has its messages: the next_batch of the to_device extension. Not the pos: one connection of a device brings the messages, and its
/// client keeps this token when the connection begins afresh.
/// </summary>
static class ToDeviceToken
{
    public static string Write(LogPosition position) => string.Create(CultureInfo.InvariantCulture, $"d{position.Value}");

    /// <summary>The token as it stands in a request, and what it says.</summary>
    public static (string Text, LogPosition Position)? Find(JsonElement body)
    {
        if (!body.TryGetProperty("extensions", out var extensions) || extensions.ValueKind != JsonValueKind.Object
            || !extensions.TryGetProperty("to_device", out var toDevice) || toDevice.ValueKind != JsonValueKind.Object
            || !toDevice.TryGetProperty("since", out var since) || since.ValueKind == JsonValueKind.Null)
            return null;
        return since.ValueKind == JsonValueKind.String && since.GetString() is ['d', ..] text
            && long.TryParse(text.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var position)
            ? (text, new LogPosition(position))
            : throw MatrixException.InvalidParam("'since' of to_device is not a token of this server.");
    }
}
