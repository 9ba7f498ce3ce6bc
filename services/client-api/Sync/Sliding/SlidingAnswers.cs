using System.Globalization;
using System.Text.Json;
using Matrix.ClientApi.Sync.Presence;
using Matrix.Hosting.Health;
using Matrix.Http;

namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>Between HTTP and the engine: what both forms of the request have in common.</summary>
sealed class SlidingAnswers(ShapeCache shapes, SlidingEngine engine, PresenceExchange presence, TimeProvider time)
{
    const int LongestTimeout = 600_000;

    public async Task Write(
        HttpContext context, Body<JsonElement> body, Requester requester, string? pos, string? timeout, bool stable, CancellationToken ct)
    {
        var wish = Text(body.Value, "set_presence") ?? PresenceState.Online;
        if (!PresenceState.IsKnown(wish))
            throw MatrixException.InvalidParam("'set_presence' is not known.");
        var userId = requester.UserId.ToString();
        var has = ToDeviceToken.Find(body.Value);
        var shape = shapes.Get(userId, body.Utf8.Span, body.Value, has?.Text);
        var request = new SlidingRequest(userId, requester.DeviceId.ToString(), shape, Pos(pos), has?.Position, AnswerNow.IsAsked(context) ? TimeSpan.Zero : Timeout(timeout), stable);
        using var present = presence.Begin(userId, request.DeviceId, wish);
        var answer = await engine.Sync(request, ct);
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        await JsonBytes.Write(context, (request, answer, now), (to, told) => SlidingWriter.Write(to, told.request, told.answer, told.now), ct);
    }

    /// <summary>A text of the body, or null.</summary>
    public static string? Text(JsonElement body, string name) => !body.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString()
        : throw MatrixException.BadJson($"'{name}' must be a text.");

    static SlidingPos? Pos(string? text) => string.IsNullOrEmpty(text) ? null : SlidingPos.TryParse(text, out var pos) ? pos : throw Connections.Unknown();

    static TimeSpan Timeout(string? timeout) => string.IsNullOrEmpty(timeout) ? TimeSpan.Zero
        : long.TryParse(timeout, NumberStyles.None, CultureInfo.InvariantCulture, out var ms) ? TimeSpan.FromMilliseconds(Math.Min(ms, LongestTimeout))
        : throw MatrixException.InvalidParam("'timeout' must be a number of milliseconds.");
}
