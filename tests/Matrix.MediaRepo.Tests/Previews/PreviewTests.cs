using System.ComponentModel.DataAnnotations;
using System.Text;
using System.Text.Json;
using Matrix.MediaRepo.Previews;
using Matrix.Storage;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Matrix.MediaRepo.Tests.Previews;

/// <summary>GET …/media/preview_url, off and on.</summary>
public sealed class PreviewTests(PreviewTests.Site fixture, MediaServers servers) : IClassFixture<PreviewTests.Site>
{
    [Fact]
    public async Task A_page_is_described_with_its_picture()
    {
        var (alice, site) = (await fixture.Server.NewUser(), fixture.Web);
        site.Put("/picture.png", Pictures.Png(123, 45), "image/png");
        var page = site.Put("/page", "<meta property='og:title' content='Ä title'><meta property='og:description' content='About'><meta property='og:image' content='/picture.png'>");
        var preview = (await Preview(alice, page)).Ok();
        Assert.Equal(("Ä title", "About", "image/png", 123, 45), (preview.String("og:title"), preview.String("og:description"),
            preview.String("og:image:type"), preview["og:image:width"].GetInt32(), preview["og:image:height"].GetInt32()));
        var picture = (await alice.Download(new Uri(preview.String("og:image")))).Ok();
        Assert.Equal(preview["matrix:image:size"].GetInt32(), picture.Bytes.Length);
    }

    [Fact]
    public async Task Many_who_ask_have_it_fetched_once()
    {
        var page = fixture.Web.Put("/once", "<title>once</title>");
        var users = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => fixture.Server.NewUser()));
        var previews = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Preview(users[i % 4], page + "#part")));
        Assert.All(previews, preview => Assert.Equal("once", preview.Ok().String("og:title")));
        Assert.Single(fixture.Web.Asked, path => path == "/once");
        var legacy = await users[0].Get($"/_matrix/media/v3/preview_url?url={ApiClient.Esc(page)}");
        Assert.Equal("once", legacy.Ok().String("og:title"));
    }

    [Fact]
    public async Task A_picture_is_its_own_preview_and_other_files_have_none()
    {
        var alice = await fixture.Server.NewUser();
        Assert.Equal(200, (await Preview(alice, fixture.Web.Put("/direct", Pictures.Jpeg(200, 100), "image/jpeg"))).Ok()["og:image:width"].GetInt32());
        Assert.Empty((await Preview(alice, fixture.Web.Put("/file", new byte[100], "application/zip"))).Ok().Json.EnumerateObject());
        Assert.Empty((await Preview(alice, fixture.Web.Put("/bomb", Pictures.BombPng(60_000, 60_000), "image/png"))).Ok().Json.EnumerateObject());
    }

    [Fact]
    public async Task What_a_provider_says_is_found_by_the_page_and_by_the_file_of_providers()
    {
        var (alice, site) = (await fixture.Server.NewUser(), fixture.Web);
        site.Put("/oembed", Encoding.UTF8.GetBytes("{\"type\":\"rich\",\"title\":\"From the provider\",\"html\":\"<p>Words &amp; more</p><script>no</script>\"}"), "application/json");
        var page = site.Put("/described", $"<link rel='alternate' type='application/json+oembed' href='{site.Url}/oembed'>");
        var preview = (await Preview(alice, page)).Ok();
        Assert.Equal(("From the provider", "Words & more"), (preview.String("og:title"), preview.String("og:description")[..12]));
        Assert.Equal("From the provider", (await Preview(alice, "https://video.example/watch/1")).Ok().String("og:title"));
        Assert.Contains(site.Asked, path => path.StartsWith("/oembed?format=json&url=https%3A%2F%2Fvideo.example", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("http://127.0.0.2/", 502, "M_UNKNOWN")]
    [InlineData("http://10.1.2.3/", 502, "M_UNKNOWN")]
    [InlineData("https://blocked.example/x", 403, "M_FORBIDDEN")]
    [InlineData("http://user:password@page.example/", 403, "M_FORBIDDEN")]
    [InlineData("ftp://page.example/", 400, "M_INVALID_PARAM")]
    [InlineData("page.example", 400, "M_INVALID_PARAM")]
    [InlineData("file:///etc/passwd", 400, "M_INVALID_PARAM")]
    public async Task What_may_not_be_looked_at_is_refused(string url, int status, string errcode) =>
        (await Preview(await fixture.Server.NewUser(), url)).Refused(status, errcode);

    [Fact]
    public async Task A_failure_is_remembered_for_a_while()
    {
        var alice = await fixture.Server.NewUser();
        (await Preview(alice, $"{fixture.Web.Url}/missing")).Refused(502, "M_UNKNOWN");
        (await Preview(alice, $"{fixture.Web.Url}/missing")).Refused(502, "M_UNKNOWN");
        Assert.Single(fixture.Web.Asked, path => path == "/missing");
        await fixture.Server.Services.GetRequiredService<NpgsqlDataSource>().Execute("UPDATE url_previews SET expires_at = now() - interval '1 second' WHERE body IS NULL");
        fixture.Web.Put("/missing", "<title>there</title>");
        Assert.Equal("there", (await Preview(alice, $"{fixture.Web.Url}/missing")).Ok().String("og:title"));
    }

    [Fact]
    public async Task A_user_may_have_only_so_many_fetched()
    {
        var alice = await fixture.Server.NewUser();
        var replies = new List<Reply>();
        for (var i = 0; i < 12; i++)
            replies.Add(await Preview(alice, fixture.Web.Put($"/many{i}", "<title>x</title>")));
        Assert.Contains(replies, reply => reply.Errcode == "M_LIMIT_EXCEEDED");
        (await Preview(await fixture.Server.NewUser(), fixture.Web.Put("/other", "<title>x</title>"))).Ok();
        (await Preview(alice, fixture.Web.Url + "/many0")).Ok();
    }

    [Fact]
    public async Task There_are_none_unless_the_operator_wants_them() =>
        (await Preview(await servers.First.NewUser(), "https://page.example/")).Refused(404, "M_UNRECOGNIZED");

    [Fact]
    public void They_need_a_list_of_addresses_that_are_not_connected_to()
    {
        var options = new PreviewOptions { UrlPreviewEnabled = true };
        Assert.Equal(["UrlPreviewIpRangeBlacklist"], Assert.Single(options.Validate(new ValidationContext(options))).MemberNames);
    }

    static Task<Reply> Preview(ApiClient user, string url) => user.Get($"/_matrix/client/v1/media/preview_url?url={ApiClient.Esc(url)}");

    public sealed class Site : IAsyncLifetime
    {
        internal WebSite Web { get; private set; } = null!;

        public MatrixServer Server { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Web = await WebSite.Start();
            var providers = Path.GetTempFileName();
            await File.WriteAllTextAsync(providers, JsonSerializer.Serialize(new[]
            {
                new { provider_name = "Video", endpoints = new[] { new { schemes = new[] { "https://video.example/watch/*" }, url = $"{Web.Url}/oembed" } } },
            }));
            Server = await MatrixServer.Start(configuration =>
            {
                configuration["url_preview_enabled"] = "true";
                configuration["url_preview_ip_range_blacklist"] = "127.0.0.0/8,10.0.0.0/8,::1/128";
                configuration["url_preview_ip_range_whitelist"] = "127.0.0.1";
                configuration["url_preview_url_blacklist:0:netloc"] = "*.example";
                configuration["url_preview_url_blacklist:0:scheme"] = "https";
                configuration["url_preview_url_blacklist:0:path"] = "^/x";
                configuration["url_preview_oembed_providers_path"] = providers;
                configuration["rc_url_preview:per_second"] = "0.001";
                configuration["rc_url_preview:burst_count"] = "10";
            });
            File.Delete(providers);
        }

        public async ValueTask DisposeAsync()
        {
            await Server.DisposeAsync();
            await Web.DisposeAsync();
        }
    }
}
