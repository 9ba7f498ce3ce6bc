using System.Text;
using System.Text.Json;

namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>
/// What bodies mean. A client sends the same one over and over, so the same user's equal bodies are one object: whoever has seen it before
/// knows that nothing is asked for anew.
/// </summary>
sealed class ShapeCache(Caches caches)
{
    readonly BoundedCache<(string UserId, string Body), SlidingShape> shapes = caches.Create<(string UserId, string Body), SlidingShape>(
        "sliding_requests", 8 << 20, (key, shape) => 2000 + (2 * Caches.WeightOf(key.Body)) + (500 * shape.Lists.Count));

    /// <param name="toDevice">The token of the to_device extension, which is different in every request.</param>
    public SlidingShape Get(string userId, ReadOnlySpan<byte> utf8, JsonElement body, string? toDevice)
    {
        var text = body.TryGetProperty("pos", out _) ? Lasting(body) : Encoding.UTF8.GetString(utf8);
        var key = (userId, toDevice is null ? text : text.Replace($"\"{toDevice}\"", "0", StringComparison.Ordinal));
        if (!shapes.TryGet(key, out var shape))
            shapes.Set(key, shape = ShapeReader.Read(body, userId));
        return shape;
    }

    // Without what is different in every request.
    static string Lasting(JsonElement body) => string.Join(',', body.EnumerateObject()
        .Where(member => member.Name is not ("pos" or "timeout" or "set_presence")).Select(member => $"{member.Name}:{member.Value.GetRawText()}"));
}
