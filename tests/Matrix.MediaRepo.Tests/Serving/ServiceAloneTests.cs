using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Reflection;
using System.Security.Cryptography;
using Matrix.Hosting.Together;
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

    [Fact]
    public async Task Questions_that_come_together_are_answered_each_as_if_it_came_alone()
    {
        var file = Path.Combine(Path.GetDirectoryName(servers.Folder)!, "homeserver.yaml");
        await using var program = await HostedProgram.Start(Assembly.Load("Matrix.MediaRepo"), "--config-path", file);
        using var http = new HttpClient { BaseAddress = program.Address };
        var (alice, bob, admin) = (await servers.First.NewUser(), await servers.First.NewUser(), await servers.First.NewUser(admin: true));
        var (one, other) = (RandomNumberGenerator.GetBytes(1000), RandomNumberGenerator.GetBytes(1000));
        var media = await alice.Upload(one, "image/png", "a picture.png");
        var (first, second) = (MediaUser.DownloadPath(media), MediaUser.DownloadPath(await alice.Upload(other, "text/html")));
        SameQuestion[] questions =
        [
            Ask(second, Tag(other), alice), Ask(first, Tag(one), bob), Ask(first, Tag(one), alice), Ask(second, Tag(other), bob), Ask(first, Tag(other), alice), Ask(first, Tag(one), null), Ask(first, Tag(one), alice) with { Authorization = "Bearer no" },
            Ask(first + "x", Tag(one), alice), Ask("/health/live", Tag(one), alice), Ask(SameQuestion.Path, Tag(one), alice), Ask("no path", Tag(one), alice),
            Ask(first.Replace("download", "thumbnail", StringComparison.Ordinal) + "?width=32&height=32", Tag(one), alice),
        ];
        var answers = await Answer(4);
        for (var i = 0; i < 4; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, questions[i].Target);
            request.Headers.TryAddWithoutValidation("Authorization", questions[i].Authorization);
            using var alone = await http.SendAsync(request, TestContext.Current.CancellationToken);
            var headers = alone.Headers.NonValidated.Concat(alone.Content.Headers.NonValidated).Where(header => header.Key is not ("Date" or "Server" or "X-Request-ID" or "Content-Length" or "Transfer-Encoding"));
            Assert.Equal(headers.Select(header => (header.Key, header.Value.ToString())).Order(), answers[i]!.Chunk(2).Select(pair => (pair[0], pair[1])).Order());
        }

        // at once, of what was answered a moment before
        (await bob.Post("/_matrix/client/v3/logout")).Ok();
        (await admin.Post($"/_synapse/admin/v1/media/quarantine/{media.Authority}{media.AbsolutePath}")).Ok();
        await Answer(1);

        using var many = await http.PostAsJsonAsync(SameQuestion.Path, [.. Enumerable.Repeat(questions[0], SameQuestion.Most + 1)],
            SameQuestionJson.Terse.SameQuestionArray, TestContext.Current.CancellationToken);
        Assert.Equal(System.Net.HttpStatusCode.BadRequest, many.StatusCode);

        // a service that has just started may be too slow for some of them
        Task<string[]?[]> Answer(int number) => Eventually.Get($"{number} answers", async () =>
        {
            using var answer = await http.PostAsJsonAsync(SameQuestion.Path, questions, SameQuestionJson.Terse.SameQuestionArray, TestContext.Current.CancellationToken);
            var known = (await answer.Content.ReadFromJsonAsync(SameQuestionJson.Terse.StringArrayArray, TestContext.Current.CancellationToken))!;
            Assert.All(known.Skip(number), Assert.Null);
            return known;
        }, known => !known.Take(number).Contains(null));
    }

    static SameQuestion Ask(string target, string tag, User? who) => new(target, tag, who == null ? null : $"Bearer {who.AccessToken}", "127.0.0.1", "id");

    static string Tag(byte[] content) => $"\"{Convert.ToHexStringLower(SHA256.HashData(content))}\"";
}
