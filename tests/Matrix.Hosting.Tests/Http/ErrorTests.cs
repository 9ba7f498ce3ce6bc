using System.Net;
using Matrix.Http;
using Matrix.Protocol;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;

namespace Matrix.Hosting.Tests.Http;

public sealed class ErrorTests
{
    sealed class Refusal() : Exception("Not here."), IMatrixError
    {
        public int Status => 403;

        public string Errcode => "M_FORBIDDEN";
    }

    static Task<TestApp> Start() => TestApp.Start(app =>
    {
        app.MapGet("/refused", string () => throw new Refusal());
        app.MapGet("/broken", string () => throw new InvalidOperationException("the secret is 42"));
        app.MapGet("/slow", string () => throw MatrixException.LimitExceeded(TimeSpan.FromMilliseconds(1500)));
        app.MapGet("/dir", ([FromQuery(Name = "set_dir")] string setDir, int? limit) => $"{setDir}{limit}");
        app.MapGet("/nothing", () => Results.Json(new { a = 1 }, statusCode: 404));
    });

    [Fact]
    public async Task An_unknown_path_is_404_unrecognized()
    {
        await using var app = await Start();
        var response = await app.Client.GetAsync("/_matrix/unknown");
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal("M_UNRECOGNIZED", await response.Errcode());
    }

    [Fact]
    public async Task A_known_path_with_another_method_is_405_unrecognized()
    {
        await using var app = await Start();
        var response = await app.Client.PutAsync("/slow", new StringContent("{}"));
        Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
        Assert.Equal("M_UNRECOGNIZED", await response.Errcode());
        Assert.Equal(["GET"], response.Content.Headers.Allow);
    }

    [Fact]
    public async Task An_endpoints_own_404_is_left_alone()
    {
        await using var app = await Start();
        Assert.Equal("""{"a":1}""", await (await app.Client.GetAsync("/nothing")).Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task An_error_that_knows_its_errcode_is_answered_with_it()
    {
        await using var app = await Start();
        var response = await app.Client.GetAsync("/refused");
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Equal("""{"errcode":"M_FORBIDDEN","error":"Not here."}""", await response.Content.ReadAsStringAsync());
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task An_unplanned_exception_tells_nothing()
    {
        await using var app = await Start();
        var response = await app.Client.GetAsync("/broken");
        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.Equal("""{"errcode":"M_UNKNOWN","error":"Internal server error."}""", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_rate_limit_says_how_long_to_wait()
    {
        await using var app = await Start();
        var response = await app.Client.GetAsync("/slow");
        Assert.Equal(HttpStatusCode.TooManyRequests, response.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(2), response.Headers.RetryAfter?.Delta);
        Assert.Equal(
            """{"errcode":"M_LIMIT_EXCEEDED","error":"Too many requests.","retry_after_ms":1500}""",
            await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("/dir", "M_MISSING_PARAM")]
    [InlineData("/dir?set_dir=b&limit=many", "M_INVALID_PARAM")]
    public async Task A_query_that_does_not_bind_gets_the_errcode_of_the_spec(string path, string errcode)
    {
        await using var app = await Start();
        var response = await app.Client.GetAsync(path);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal(errcode, await response.Errcode());
    }

    [Theory]
    [InlineData("GET", "/slow")]
    [InlineData("GET", "/broken")]
    [InlineData("GET", "/unknown")]
    [InlineData("OPTIONS", "/slow")]
    [InlineData("OPTIONS", "/unknown")]
    public async Task Every_answer_carries_the_cors_headers(string method, string path)
    {
        await using var app = await Start();
        var response = await app.Client.SendAsync(new HttpRequestMessage(new HttpMethod(method), path));
        Assert.Equal(["*"], response.Headers.GetValues("Access-Control-Allow-Origin"));
        Assert.Contains("DELETE", response.Headers.GetValues("Access-Control-Allow-Methods").Single(), StringComparison.Ordinal);
        Assert.Contains("Authorization", response.Headers.GetValues("Access-Control-Allow-Headers").Single(), StringComparison.Ordinal);
        if (method == "OPTIONS") Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
    }
}
