using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Matrix.Federation.Tests.Harness;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace Matrix.Federation.Tests.Media;

/// <summary>Media that passes between servers (Server-Server API, Content repository).</summary>
public sealed class RemoteMediaTests(FederatedServers servers)
{
    const string New = "/_matrix/federation/v1/media/download/", Old = "/_matrix/media/v3/download/";

    [Fact]
    public async Task Media_of_another_server_comes_as_it_was_uploaded()
    {
        var content = RandomNumberGenerator.GetBytes(300_000);
        using var body = new ByteArrayContent(content) { Headers = { ContentType = new MediaTypeHeaderValue("video/mp4") } };
        var alice = await servers.First.NewUser();
        var media = new Uri((await alice.Post("/_matrix/media/v3/upload?filename=r%C3%A9sum%C3%A9.mp4", body)).Ok().String("content_uri"));
        var reply = (await (await servers.Second.NewUser()).Get(PathOf(media))).Ok();
        Assert.Equal(content, reply.Bytes);
        Assert.Equal(("video/mp4", "résumé.mp4"), (reply.ContentHeaders.ContentType?.ToString(), reply.ContentHeaders.ContentDisposition?.FileNameStar));
    }

    [Fact]
    public async Task Many_who_want_the_same_media_have_it_fetched_once()
    {
        await using var remote = await servers.NewRemote();
        remote.On(HttpMethod.Get, New, (_, context) => Answer(context, Parts("once", "text/plain")));
        var bob = await servers.First.NewUser();
        var replies = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => bob.Get($"/_matrix/client/v1/media/download/{remote.Name}/abc")));
        Assert.All(replies, reply => Assert.Equal("once", reply.Ok().Text));
        Assert.Single(remote.Requests, request => request.Path.StartsWith(New, StringComparison.Ordinal));
        Assert.All(remote.Requests.Where(request => request.Path.StartsWith(New, StringComparison.Ordinal)), request => Assert.NotNull(request.Signature));
    }

    [Fact]
    public async Task A_server_without_the_new_endpoint_is_asked_by_the_old_one()
    {
        await using var remote = await servers.NewRemote();
        remote.On(HttpMethod.Get, Old, async (_, context) =>
        {
            context.Response.ContentType = "image/png";
            context.Response.Headers.ContentDisposition = "inline; filename=\"old.png\"";
            await context.Response.WriteAsync("old");
            return null;
        });
        var reply = (await Get(remote)).Ok();
        Assert.Equal(("old", "image/png", "old.png"), (reply.Text, reply.ContentHeaders.ContentType?.ToString(), reply.ContentHeaders.ContentDisposition?.FileName));
        Assert.Contains("allow_remote=false", Assert.Single(remote.Requests, request => request.Path.StartsWith(Old, StringComparison.Ordinal)).Target, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Media_that_lies_elsewhere_is_fetched_from_there()
    {
        await using var remote = await servers.NewRemote();
        var elsewhere = $"{servers.Second.BaseUrl}_matrix/client/versions";
        remote.On(HttpMethod.Get, New, (_, context) => Answer(context, Redirect(elsewhere)));
        Assert.Contains("versions", (await Get(remote)).Ok().Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://10.0.0.1/picture")]
    [InlineData("http://[::ffff:192.168.1.1]/picture")]
    [InlineData("file:///etc/passwd")]
    [InlineData("http://user:password@127.0.0.1/picture")]
    public async Task Nothing_is_fetched_from_where_nobody_may_go(string elsewhere)
    {
        await using var remote = await servers.NewRemote();
        remote.On(HttpMethod.Get, New, (_, context) => Answer(context, Redirect(elsewhere)));
        (await Get(remote)).Refused(502, "M_UNKNOWN");
    }

    [Theory]
    [InlineData("multipart/mixed", "--x\r\n\r\n{}\r\n--x--\r\n")]
    [InlineData("multipart/mixed; boundary=x", "--x\r\nContent-Type: application/json\r\n\r\n{}\r\n--x--\r\n")]
    [InlineData("multipart/mixed; boundary=x", "--x\r\nContent-Type: application/json\r\n\r\n{}\r\n--x\r\nContent-Type: text/plain\r\n\r\ncut")]
    [InlineData("multipart/mixed; boundary=x", "nothing of the kind")]
    [InlineData("multipart/mixed; boundary=x", "")]
    [InlineData("text/html", "<html>")]
    public async Task An_answer_that_is_no_answer_is_kept_by_nobody(string type, string body)
    {
        await using var remote = await servers.NewRemote();
        remote.On(HttpMethod.Get, New, (_, context) => Answer(context, (type, Encoding.UTF8.GetBytes(body))));
        (await Get(remote)).Refused(502, "M_UNKNOWN");
        remote.On(HttpMethod.Get, New, (_, context) => Answer(context, Parts("good", "text/plain")));
        Assert.Equal("good", (await Get(remote)).Ok().Text);
    }

    [Theory]
    [InlineData(404, "M_NOT_FOUND", 404, "M_NOT_FOUND")]
    [InlineData(403, "M_FORBIDDEN", 404, "M_NOT_FOUND")]
    [InlineData(502, "M_TOO_LARGE", 502, "M_TOO_LARGE")]
    [InlineData(504, "M_NOT_YET_UPLOADED", 504, "M_NOT_YET_UPLOADED")]
    public async Task What_the_other_server_refuses_is_refused(int status, string errcode, int expectedStatus, string expectedErrcode)
    {
        await using var remote = await servers.NewRemote();
        remote.On(HttpMethod.Get, New, _ => RemoteAnswer.Error((HttpStatusCode)status, errcode));
        (await Get(remote)).Refused(expectedStatus, expectedErrcode);
    }

    [Fact]
    public async Task Media_above_the_limit_is_not_kept()
    {
        await using var small = await servers.Start(configuration => configuration["max_remote_media_size"] = "1K");
        await using var remote = await servers.NewRemote();
        remote.On(HttpMethod.Get, New, (_, context) => Answer(context, Parts(new string('x', 1025), "text/plain")));
        (await (await small.NewUser()).Get($"/_matrix/client/v1/media/download/{remote.Name}/abc")).Refused(502, "M_TOO_LARGE");
        remote.On(HttpMethod.Get, New, (_, context) => Answer(context, Parts(new string('x', 1024), "text/plain")));
        (await (await small.NewUser()).Get($"/_matrix/client/v1/media/download/{remote.Name}/abc")).Ok();
    }

    [Fact]
    public async Task Nobody_without_a_token_has_anything_fetched()
    {
        await using var remote = await servers.NewRemote();
        (await servers.First.Anonymous.Get($"/_matrix/media/v3/download/{remote.Name}/abc")).Refused(404, "M_NOT_FOUND");
        Assert.Empty(remote.Requests);
    }

    [Fact]
    public async Task A_server_gets_our_media_in_two_parts_if_it_signs_for_it()
    {
        await using var remote = await servers.NewRemote();
        using var body = new ByteArrayContent(Encoding.UTF8.GetBytes("for you")) { Headers = { ContentType = new MediaTypeHeaderValue("text/plain") } };
        var media = new Uri((await (await servers.First.NewUser()).Post("/_matrix/media/v3/upload?filename=a.txt", body)).Ok().String("content_uri"));
        var path = New + media.AbsolutePath[1..];
        (await servers.First.Anonymous.Get(path)).Refused(401, "M_UNAUTHORIZED");
        var reply = (await remote.Get(servers.First, path)).Ok();
        var boundary = reply.ContentHeaders.ContentType!.Parameters.Single(parameter => parameter.Name == "boundary").Value!;
        using var bytes = new MemoryStream(reply.Bytes);
        var reader = new MultipartReader(boundary, bytes);
        var metadata = await reader.ReadNextSectionAsync(TestContext.Current.CancellationToken);
        Assert.Equal(("application/json", "{}"), (metadata!.ContentType, await metadata.ReadAsStringAsync(TestContext.Current.CancellationToken)));
        var second = await reader.ReadNextSectionAsync(TestContext.Current.CancellationToken);
        Assert.Equal(("text/plain", "for you"), (second!.ContentType, await second.ReadAsStringAsync(TestContext.Current.CancellationToken)));
        Assert.Contains("a.txt", second.ContentDisposition, StringComparison.Ordinal);
        Assert.Null(await reader.ReadNextSectionAsync(TestContext.Current.CancellationToken));
        (await remote.Get(servers.First, New + "unknown")).Refused(404, "M_NOT_FOUND");
        (await remote.Get(servers.First, path.Replace("download", "thumbnail", StringComparison.Ordinal) + "?width=10&height=10")).Refused(400, "M_UNKNOWN");
    }

    async Task<Reply> Get(RemoteServer remote) => await (await servers.First.NewUser()).Get($"/_matrix/client/v1/media/download/{remote.Name}/abc");

    static string PathOf(Uri media) => $"/_matrix/client/v1/media/download/{media.Authority}{media.AbsolutePath}";

    static (string Type, byte[] Body) Parts(string content, string type) => ("multipart/mixed; boundary=\"bound\"",
        Encoding.UTF8.GetBytes($"--bound\r\nContent-Type: application/json\r\n\r\n{{}}\r\n--bound\r\nContent-Type: {type}\r\n\r\n{content}\r\n--bound--\r\n"));

    static (string Type, byte[] Body) Redirect(string elsewhere) => ("multipart/mixed; boundary=bound",
        Encoding.UTF8.GetBytes($"--bound\r\nContent-Type: application/json\r\n\r\n{{}}\r\n--bound\r\nLocation: {elsewhere}\r\n\r\n\r\n--bound--\r\n"));

    static async Task<object?> Answer(HttpContext context, (string Type, byte[] Body) answer)
    {
        context.Response.ContentType = answer.Type;
        await context.Response.StartAsync();
        await context.Response.Body.WriteAsync(answer.Body);
        return null;
    }
}
