using System.Text.Json;

namespace Matrix.Pusher.Http;

/// <summary>What a pusher's data mean for HTTP, read once.</summary>
/// <param name="Gateway">Null: there is none.</param>
/// <param name="IsIdOnly">Wants the format <c>event_id_only</c>.</param>
/// <param name="Data">What the gateway is given of them: all but the URL.</param>
sealed record GatewayTarget(Uri? Gateway, bool IsIdOnly, byte[] Data)
{
    /// <summary>Scheme, host and port.</summary>
    public string Authority { get; } = Gateway?.GetLeftPart(UriPartial.Authority) ?? "";

    public static GatewayTarget Read(string data)
    {
        var json = JsonElement.Parse(data);
        var gateway = json.TryGetProperty("url", out var url) && url.ValueKind == JsonValueKind.String
            && Uri.TryCreate(url.GetString(), UriKind.Absolute, out var parsed) && parsed.Scheme is "http" or "https" ? parsed : null;
        var isIdOnly = json.TryGetProperty("format", out var format) && format.ValueKind == JsonValueKind.String && format.ValueEquals("event_id_only");
        var rest = json.EnumerateObject().Where(member => member.Name != "url").ToDictionary(member => member.Name, member => member.Value);
        return new GatewayTarget(gateway, isIdOnly, JsonSerializer.SerializeToUtf8Bytes(rest));
    }
}
