using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Xunit;

namespace Matrix.Testing.Servers;

/// <summary>Speaks HTTP to the server, with or without an access token. Paths are as on the wire: ids in them must be escaped (<see cref="Esc"/>).</summary>
public class ApiClient(HttpClient http, string? accessToken = null)
{
    public string? AccessToken { get; protected set; } = accessToken;

    protected HttpClient Http => http;

    public Task<Reply> Get(string path) => Request(HttpMethod.Get, path);

    public Task<Reply> Put(string path, object? body = null) => Request(HttpMethod.Put, path, body ?? new { });

    public Task<Reply> Post(string path, object? body = null) => Request(HttpMethod.Post, path, body ?? new { });

    public Task<Reply> Delete(string path, object? body = null) => Request(HttpMethod.Delete, path, body);

    /// <param name="body">A string is sent as it is, bytes and <see cref="HttpContent"/> too; anything else as JSON.</param>
    public async Task<Reply> Request(HttpMethod method, string path, object? body = null, Action<HttpRequestHeaders>? headers = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = ToContent(body) };
        if (AccessToken != null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", AccessToken);
        }
        headers?.Invoke(request.Headers);
        using var response = await http.SendAsync(request, TestContext.Current.CancellationToken);
        var bytes = await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
        return new Reply(response.StatusCode, response.Headers, response.Content.Headers, bytes, $"{method} {path}");
    }

    /// <summary>A path segment or query value, percent-encoded as clients do.</summary>
    public static string Esc(string value) => Uri.EscapeDataString(value);

    static HttpContent? ToContent(object? body) => body switch
    {
        null => null,
        HttpContent content => content,
        byte[] bytes => new ByteArrayContent(bytes),
        string text => new StringContent(text, Encoding.UTF8, "application/json"),
        _ => new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json"),
    };
}
