using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;

namespace Matrix.ClientApi.Tests.Media;

/// <summary>Uploads and downloads (Client-Server API, Content repository).</summary>
public sealed class MediaTests(MatrixServer server)
{
    static readonly byte[] s_png = [0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10, 0, 255];

    [Fact]
    public async Task A_file_comes_back_as_it_was_uploaded()
    {
        var alice = await server.NewUser();
        var content = RandomNumberGenerator.GetBytes(200_000);
        var uri = await Upload(alice, content, "application/pdf", "résumé.pdf");
        var reply = (await (await server.NewUser()).Get(DownloadPath(uri))).Ok();
        Assert.Equal(content, reply.Bytes);
        Assert.Equal("application/pdf", reply.ContentHeaders.ContentType?.ToString());
        Assert.Equal("résumé.pdf", reply.ContentHeaders.ContentDisposition?.FileNameStar);
    }

    [Theory]
    [InlineData("image/png", "inline")]
    [InlineData("text/html", "attachment")]
    [InlineData("image/svg+xml", "attachment")]
    public async Task Only_harmless_types_are_shown_inline(string type, string disposition)
    {
        var alice = await server.NewUser();
        var reply = (await alice.Get(DownloadPath(await Upload(alice, s_png, type)))).Ok();
        Assert.Equal(disposition, reply.ContentHeaders.ContentDisposition?.DispositionType);
        Assert.Equal(["cross-origin"], reply.Headers.GetValues("Cross-Origin-Resource-Policy"));
        Assert.StartsWith("sandbox; default-src 'none';", Assert.Single(reply.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_download_can_be_given_another_file_name()
    {
        var alice = await server.NewUser();
        var reply = (await alice.Get(DownloadPath(await Upload(alice, s_png, "image/png", "a.png")) + "/b%20%2F.png")).Ok();
        Assert.Equal("b /.png", reply.ContentHeaders.ContentDisposition?.FileNameStar);
    }

    [Fact]
    public async Task A_part_of_a_file_can_be_asked_for()
    {
        var alice = await server.NewUser();
        var uri = await Upload(alice, s_png, "image/png");
        var reply = await alice.Request(HttpMethod.Get, DownloadPath(uri), null, headers => headers.Range = new RangeHeaderValue(1, 3));
        Assert.Equal(HttpStatusCode.PartialContent, reply.Status);
        Assert.Equal("PNG", reply.Text);
    }

    [Fact]
    public async Task New_media_is_not_for_clients_without_a_token()
    {
        var alice = await server.NewUser();
        var uri = await Upload(alice, s_png, "image/png");
        (await server.Anonymous.Get(DownloadPath(uri))).Refused(401, "M_MISSING_TOKEN");
        (await server.Anonymous.Get(LegacyPath(uri))).Refused(404, "M_NOT_FOUND");
    }

    // asked for so often that whatever keeps answers has kept it
    [Theory]
    [InlineData(100)]
    [InlineData(200_000)]
    public async Task What_ends_between_two_downloads_is_seen_by_the_next(int size)
    {
        var (alice, bob, admin) = (await server.NewUser(), await server.NewUser(), await server.NewUser(admin: true));
        var content = RandomNumberGenerator.GetBytes(size);
        var uri = await Upload(alice, content, "video/mp4");
        for (var i = 0; i < 4; i++)
            Assert.Equal(content, (await bob.Get(DownloadPath(uri))).Ok().Bytes);
        (await server.Anonymous.Get(DownloadPath(uri))).Refused(401, "M_MISSING_TOKEN");
        (await bob.Post("/_matrix/client/v3/logout", new { })).Ok();
        (await bob.Get(DownloadPath(uri))).Refused(401, "M_UNKNOWN_TOKEN");

        Assert.Equal(content, (await alice.Get(DownloadPath(uri))).Ok().Bytes);
        (await admin.Post($"/_synapse/admin/v1/media/quarantine/{uri.Authority}{uri.AbsolutePath}", new { })).Ok();
        (await alice.Get(DownloadPath(uri))).Refused(404, "M_NOT_FOUND");
        (await admin.Post($"/_synapse/admin/v1/media/unquarantine/{uri.Authority}{uri.AbsolutePath}", new { })).Ok();
        Assert.Equal(content, (await alice.Get(DownloadPath(uri))).Ok().Bytes);
        (await admin.Delete($"/_synapse/admin/v1/media/{uri.Authority}{uri.AbsolutePath}")).Ok();
        (await alice.Get(DownloadPath(uri))).Refused(404, "M_NOT_FOUND");
    }

    [Fact]
    public async Task An_upload_needs_a_token() =>
        (await server.Anonymous.Post("/_matrix/media/v3/upload", s_png)).Refused(401, "M_MISSING_TOKEN");

    [Fact]
    public async Task Unknown_media_is_not_found()
    {
        var alice = await server.NewUser();
        (await alice.Get($"/_matrix/client/v1/media/download/{server.ServerName}/nothing")).Refused(404, "M_NOT_FOUND");
    }

    [Theory]
    [InlineData("/_matrix/client/v1/media/config")]
    [InlineData("/_matrix/media/v3/config")]
    public async Task The_size_limit_is_announced(string path) =>
        Assert.True((await (await server.NewUser()).Get(path)).Ok()["m.upload.size"].GetInt64() > 0);

    [Fact, Trait("needs", "its own server")]
    public async Task A_file_above_the_limit_is_refused_with_or_without_a_length()
    {
        await using var small = await MatrixServer.Start(configuration => configuration["max_upload_size"] = "1K");
        var alice = await small.NewUser();
        await Upload(alice, new byte[1024], "image/png");
        (await alice.Post("/_matrix/media/v3/upload", new byte[1025])).Refused(413, "M_TOO_LARGE");
        (await alice.Post("/_matrix/media/v3/upload", new StreamContent(new UnknownLength(100_000)))).Refused(413, "M_TOO_LARGE");
    }

    [Fact, Trait("needs", "its own server")]
    public async Task A_server_may_keep_serving_media_without_a_token()
    {
        await using var open = await MatrixServer.Start(configuration => configuration["enable_authenticated_media"] = "false");
        var uri = await Upload(await open.NewUser(), s_png, "image/png");
        Assert.Equal(s_png, (await open.Anonymous.Get(LegacyPath(uri))).Ok().Bytes);
    }

    static async Task<Uri> Upload(User user, byte[] content, string type, string? name = null)
    {
        using var body = new ByteArrayContent(content) { Headers = { ContentType = new MediaTypeHeaderValue(type) } };
        var query = name == null ? "" : $"?filename={ApiClient.Esc(name)}";
        return new Uri((await user.Post($"/_matrix/media/v3/upload{query}", body)).Ok().String("content_uri"));
    }

    static string DownloadPath(Uri uri) => $"/_matrix/client/v1/media/download/{uri.Authority}{uri.AbsolutePath}";

    static string LegacyPath(Uri uri) => $"/_matrix/media/v3/download/{uri.Authority}{uri.AbsolutePath}";

    /// <summary>So many zeros, without telling how many: sent in chunks.</summary>
    sealed class UnknownLength(int length) : MemoryStream(new byte[length])
    {
        public override bool CanSeek => false;
    }
}
