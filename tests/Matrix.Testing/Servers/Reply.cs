using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Xunit;

namespace Matrix.Testing.Servers;

/// <summary>An answer of the server: status, headers and body, with the assertions that nearly every test makes.</summary>
public sealed class Reply(HttpStatusCode status, HttpResponseHeaders headers, HttpContentHeaders contentHeaders, byte[] bytes, string request)
{
    JsonElement? _json;

    public HttpStatusCode Status => status;

    public HttpResponseHeaders Headers => headers;

    public HttpContentHeaders ContentHeaders => contentHeaders;

    public byte[] Bytes => bytes;

    public string Text => System.Text.Encoding.UTF8.GetString(bytes);

    /// <summary>The body, which must be JSON.</summary>
    public JsonElement Json
    {
        get
        {
            try
            {
                return _json ??= JsonDocument.Parse(bytes).RootElement;
            }
            catch (JsonException)
            {
                throw new InvalidOperationException($"{this}: the body is not JSON.");
            }
        }
    }

    public string? Errcode => bytes.Length > 0 && Json.TryGetProperty("errcode", out var errcode) ? errcode.GetString() : null;

    /// <summary>The member at a path such as <c>rooms.join</c>, where <c>\u0000</c>-free names are separated by dots; fails when absent.</summary>
    public JsonElement this[string path] => Json.At(path);

    /// <summary>Fails unless the status is 200; returns this.</summary>
    public Reply Ok()
    {
        Assert.True(status == HttpStatusCode.OK, ToString());
        return this;
    }

    /// <summary>Fails unless the request was refused with this status and error code, in the spec's shape; returns this.</summary>
    public Reply Refused(int expectedStatus, string errcode)
    {
        Assert.True((int)status == expectedStatus && Errcode == errcode, $"Expected {expectedStatus} {errcode}, got {this}");
        Assert.Equal(JsonValueKind.String, Json.GetProperty("error").ValueKind);
        return this;
    }

    /// <summary>A string member of the body.</summary>
    public string String(string path) => this[path].GetString() ?? throw new InvalidOperationException($"{path} is null in {this}");

    public override string ToString() => $"{request} → {(int)status} {Text}";
}

/// <summary>Short ways into JSON.</summary>
public static class JsonPaths
{
    /// <summary>The member at a dotted path (<c>content.body</c>). A name that has dots itself is looked for whole first.</summary>
    public static JsonElement At(this JsonElement json, string path) =>
        json.Find(path) ?? throw new InvalidOperationException($"No '{path}' in {json.GetRawText()}");

    /// <summary>Like <see cref="At"/>, null when absent.</summary>
    public static JsonElement? Find(this JsonElement json, string path)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            return null;
        }
        if (json.TryGetProperty(path, out var whole))
        {
            return whole;
        }
        for (var dot = path.LastIndexOf('.'); dot > 0; dot = path.LastIndexOf('.', dot - 1))
        {
            if (json.TryGetProperty(path[..dot], out var inner) && inner.Find(path[(dot + 1)..]) is { } found)
            {
                return found;
            }
        }
        return null;
    }

    public static IReadOnlyList<JsonElement> Items(this JsonElement array) => [.. array.EnumerateArray()];

    /// <summary>The bodies of the m.room.message events among these, in order.</summary>
    public static IReadOnlyList<string> Bodies(this IEnumerable<JsonElement> events) =>
        [.. events.Where(e => e.String("type") == "m.room.message").Select(e => e.Find("content.body")?.GetString() ?? "(redacted)")];

    public static string String(this JsonElement json, string path) =>
        json.At(path).GetString() ?? throw new InvalidOperationException($"'{path}' is null in {json.GetRawText()}");
}
