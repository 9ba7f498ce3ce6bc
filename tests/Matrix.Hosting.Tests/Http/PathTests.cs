using System.Net;
using System.Net.Sockets;
using System.Text;
using Matrix.Protocol;
using Microsoft.AspNetCore.Builder;

namespace Matrix.Hosting.Tests.Http;

public sealed class PathTests
{
    static Task<TestApp> Start() => TestApp.Start(app =>
    {
        app.MapGet("/room/{roomId}", (RoomId roomId) => roomId.ToString());
        app.MapGet("/state/{type}", (string type) => $"{type}|");
        app.MapGet("/state/{type}/{stateKey}", (string type, string stateKey) => $"{type}|{stateKey}");
    });

    /// <summary>A request line that no client library has touched.</summary>
    static async Task<string> Send(TestApp app, string target)
    {
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(IPAddress.Loopback, app.Port);
        await using var stream = tcp.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
        var answer = await new StreamReader(stream).ReadToEndAsync();
        return answer[(answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
    }

    [Theory]
    [InlineData("/state/m.x/a%2Fb", "m.x|a/b")]
    [InlineData("/state/m.x/a%252Fb", "m.x|a%2Fb")]
    [InlineData("/state/m.x/a%25b", "m.x|a%b")]
    [InlineData("/state/m.x/%2E%2E", "m.x|..")]
    [InlineData("/state/m.x/@a:b%20c", "m.x|@a:b c")]
    [InlineData("/state/m.x/a+b", "m.x|a+b")]
    [InlineData("/state/m.x/%F0%9F%90%88", "m.x|🐈")]
    [InlineData("/state/m.x/", "m.x|")]
    [InlineData("/state/m.x", "m.x|")]
    [InlineData("/state/m.x/a%3Fb?c=d", "m.x|a?b")]
    [InlineData("http://localhost/state/m.x/a%2Fb", "m.x|a/b")]
    public async Task A_path_segment_is_decoded_exactly_once(string target, string expected)
    {
        await using var app = await Start();
        var body = await Send(app, target);
        Assert.Contains(expected, body.ReplaceLineEndings("\n").Split('\n'));
    }

    [Theory]
    [InlineData("/room/%21a%3Aexample.org", "!a:example.org")]
    [InlineData("/room/!a%2Fb:example.org", "!a/b:example.org")]
    public async Task An_identifier_in_the_path_is_parsed_after_decoding(string path, string expected)
    {
        await using var app = await Start();
        Assert.Contains(expected, await Send(app, path), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_identifier_that_does_not_parse_is_an_invalid_parameter()
    {
        await using var app = await Start();
        var response = await app.Client.GetAsync("/room/nonsense");
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("M_INVALID_PARAM", await response.Errcode());
    }
}
