using System.Net;
using System.Text;
using System.Text.Json;
using Matrix.Http;
using Microsoft.AspNetCore.Builder;

namespace Matrix.Hosting.Tests.Http;

public sealed class BodyTests
{
    sealed record Login(string Type, string? DeviceId, int? Age, int Tries = 1);

    static Task<TestApp> Start() => TestApp.Start(app =>
    {
        app.MapPost("/login", (Body<Login> body) => body.Value);
        app.MapPost("/leave", (Body<Login>? body) => new { given = body is not null });
        app.MapPost("/raw", (Body<JsonElement> body) => Encoding.UTF8.GetString(body.Utf8.Span));
    });

    static async Task<HttpResponseMessage> Post(TestApp app, string path, string body, string? type = null)
    {
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        if (type is not null) content.Headers.TryAddWithoutValidation("Content-Type", type);
        return await app.Client.PostAsync(path, content);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("application/json")]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    public async Task A_body_is_read_whatever_its_content_type_says(string? type)
    {
        await using var app = await Start();
        var response = await Post(app, "/login", """{"type":"x","device_id":"D","other":1}""", type);
        Assert.Equal("""{"type":"x","device_id":"D","tries":1}""", await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("""{"body":"\ud800"}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"list":[{"\uDC00":1}]}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"body":"\ud83d\ude00 \\ud800"}""", HttpStatusCode.OK)]
    public async Task Half_a_surrogate_pair_is_refused_before_anybody_reads_it(string body, HttpStatusCode status)
    {
        await using var app = await Start();
        Assert.Equal(status, (await Post(app, "/raw", body)).StatusCode);
    }

    [Theory]
    [InlineData("", "M_NOT_JSON")]
    [InlineData("{", "M_NOT_JSON")]
    [InlineData("hello", "M_NOT_JSON")]
    [InlineData("{\"type\":\"x\"} {}", "M_NOT_JSON")]
    [InlineData("[]", "M_BAD_JSON")]
    [InlineData("\"type\"", "M_BAD_JSON")]
    [InlineData("{\"type\":1}", "M_BAD_JSON")]
    [InlineData("{\"type\":null}", "M_BAD_JSON")]
    [InlineData("{\"type\":\"x\",\"tries\":\"2\"}", "M_BAD_JSON")]
    [InlineData("{\"device_id\":\"D\"}", "M_MISSING_PARAM")]
    public async Task A_bad_body_gets_the_errcode_of_the_spec(string body, string errcode)
    {
        await using var app = await Start();
        var response = await Post(app, "/login", body, "application/json");
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal(errcode, await response.Errcode());
    }

    [Fact]
    public async Task An_optional_body_may_be_empty_but_not_broken()
    {
        await using var app = await Start();
        Assert.Equal("""{"given":false}""", await (await Post(app, "/leave", "")).Content.ReadAsStringAsync());
        Assert.Equal("""{"given":true}""", await (await Post(app, "/leave", """{"type":"x"}""")).Content.ReadAsStringAsync());
        Assert.Equal("M_NOT_JSON", await (await Post(app, "/leave", "{")).Errcode());
    }

    [Fact]
    public async Task The_bytes_of_a_body_are_kept_as_they_came()
    {
        await using var app = await Start();
        var response = await Post(app, "/raw", """ {"b":1.0,"a":"é\u00e9"}""");
        Assert.Equal(""" {"b":1.0,"a":"é\u00e9"}""", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_body_above_the_limit_is_413()
    {
        await using var app = await TestApp.Start(
            app => app.MapPost("/login", (Body<Login> body) => body.Value), null, ("max_request_body_size", "64K"));
        var response = await Post(app, "/login", $$"""{"type":"{{new string('x', 65536)}}"}""");
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.Equal("M_TOO_LARGE", await response.Errcode());
    }
}
