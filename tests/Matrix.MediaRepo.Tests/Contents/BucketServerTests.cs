using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;

namespace Matrix.MediaRepo.Tests.Contents;

/// <summary>A homeserver whose media lies in a bucket.</summary>
public sealed class BucketServerTests
{
    [Fact]
    public async Task Media_in_a_bucket_needs_no_disk()
    {
        await using var bucket = await TestBucket.Start();
        var folder = "";
        await using var server = await MatrixServer.Start(configuration =>
        {
            bucket.Configure(configuration, "s3");
            folder = configuration["media_store_path"]!;
        });
        var alice = await server.NewUser();
        var content = RandomNumberGenerator.GetBytes(6_000_000);
        var media = await alice.Upload(content, "video/mp4");
        Assert.Equal(content, (await alice.Download(media)).Ok().Bytes);
        var part = await alice.Request(HttpMethod.Get, MediaUser.DownloadPath(media), null, headers => headers.Range = new RangeHeaderValue(5_900_000, null));
        Assert.Equal(content[5_900_000..], part.Bytes);
        var picture = await alice.Upload(Pictures.Jpeg(800, 600), "image/jpeg");
        Assert.Equal(640, Pictures.Look((await alice.Thumbnail(picture, 640, 480)).Ok().Bytes).Width);
        Assert.False(Directory.Exists(folder));
        Assert.Equal(3, (await bucket.Objects()).Count);
    }

    [Fact]
    public async Task Clients_are_sent_to_the_bucket_if_the_operator_wants_so()
    {
        await using var bucket = await TestBucket.Start();
        await using var server = await MatrixServer.Start(configuration =>
        {
            bucket.Configure(configuration, "s3");
            configuration["media_s3:redirect"] = "true";
        });
        var alice = await server.NewUser();
        var redirect = await alice.Download(await alice.Upload([1, 2, 3], "text/plain", "naïve.txt"));
        Assert.Equal(HttpStatusCode.TemporaryRedirect, redirect.Status);
        using var http = new HttpClient();
        using var response = await http.GetAsync(redirect.Headers.Location, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal([1, 2, 3], await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        Assert.Equal(("text/plain", "naïve.txt"), (response.Content.Headers.ContentType?.MediaType, response.Content.Headers.ContentDisposition?.FileNameStar));
        using var forged = await http.GetAsync(redirect.Headers.Location + "0", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Forbidden, forged.StatusCode);
    }
}
