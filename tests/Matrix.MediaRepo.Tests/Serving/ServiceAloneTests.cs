using System.Net.Http.Headers;
using System.Reflection;
using System.Security.Cryptography;
using Matrix.Testing;

namespace Matrix.MediaRepo.Tests.Serving;

/// <summary>The service by itself, as it runs beside the others.</summary>
public sealed class ServiceAloneTests(MediaServers servers)
{
    [Fact]
    public async Task It_needs_no_other_service()
    {
        var file = Path.Combine(Path.GetDirectoryName(servers.Folder)!, "homeserver.yaml");
        await using var program = await HostedProgram.Start(Assembly.Load("Matrix.MediaRepo"), "--config-path", file);
        using var http = new HttpClient { BaseAddress = program.Address };
        var alice = await servers.First.NewUser();
        var here = new ApiClient(http, alice.AccessToken);
        var content = RandomNumberGenerator.GetBytes(1000);
        var media = await here.Upload(content, "text/plain");
        Assert.Equal(content, (await alice.Download(media)).Ok().Bytes);
        Assert.Equal(96, Pictures.Look((await here.Thumbnail(await alice.Upload(Pictures.Jpeg(300, 300), "image/jpeg"), 96, 96, "&method=crop")).Ok().Bytes).Width);
        using var signed = new HttpRequestMessage(HttpMethod.Get, "/_matrix/federation/v1/media/download/abc");
        signed.Headers.Authorization = new AuthenticationHeaderValue("X-Matrix", "origin=\"a.invalid\",key=\"ed25519:1\",sig=\"AA\"");
        using var refused = await http.SendAsync(signed, TestContext.Current.CancellationToken);
        Assert.Equal(System.Net.HttpStatusCode.Unauthorized, refused.StatusCode);
    }
}
