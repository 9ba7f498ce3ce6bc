using System.Net;
using System.Text;

namespace Matrix.MediaRepo.Tests.Serving;

/// <summary>Parts of files, and what the client has already.</summary>
public sealed class RangeTests(MediaServers servers)
{
    const string Alphabet = "abcdefghijklmnopqrstuvwxyz";

    [Theory]
    [InlineData("bytes=0-0", "a", "bytes 0-0/26")]
    [InlineData("bytes=23-", "xyz", "bytes 23-25/26")]
    [InlineData("bytes=-2", "yz", "bytes 24-25/26")]
    [InlineData("bytes=-100", Alphabet, "bytes 0-25/26")]
    [InlineData("bytes=20-1000", "uvwxyz", "bytes 20-25/26")]
    public async Task A_part_is_sent(string range, string expected, string contentRange)
    {
        var reply = await Get(range);
        Assert.Equal((HttpStatusCode.PartialContent, expected, contentRange), (reply.Status, reply.Text, reply.ContentHeaders.ContentRange?.ToString()));
    }

    [Theory]
    [InlineData("bytes=26-")]
    [InlineData("bytes=100-200")]
    [InlineData("bytes=-0")]
    public async Task A_part_that_is_not_there_is_refused(string range)
    {
        var reply = await Get(range);
        Assert.Equal((HttpStatusCode.RequestedRangeNotSatisfiable, "bytes */26"), (reply.Status, reply.ContentHeaders.ContentRange?.ToString()));
    }

    [Theory]
    [InlineData("bytes=0-1,4-5")]
    [InlineData("lines=1-2")]
    [InlineData("bytes=5-2")]
    [InlineData("nonsense")]
    public async Task A_range_that_is_not_understood_gets_everything(string range) => Assert.Equal(Alphabet, (await Get(range)).Ok().Text);

    [Fact]
    public async Task A_part_of_another_version_gets_everything()
    {
        Assert.Equal(Alphabet, (await Get("bytes=0-1", ("If-Range", "\"something else\""))).Ok().Text);
    }

    [Theory]
    [InlineData("{0}")]
    [InlineData("W/{0}")]
    [InlineData("\"x\", {0}")]
    [InlineData("*")]
    public async Task What_the_client_has_is_not_sent(string known)
    {
        var tag = (await Get(null)).Ok().Headers.ETag!.Tag;
        var reply = await Get(null, ("If-None-Match", known.Replace("{0}", tag, StringComparison.Ordinal)));
        Assert.Equal((HttpStatusCode.NotModified, ""), (reply.Status, reply.Text));
        Assert.Equal(tag, reply.Headers.ETag!.Tag);
    }

    [Fact]
    public async Task An_empty_file_is_a_file()
    {
        var alice = await servers.First.NewUser();
        var empty = await alice.Upload([], "text/plain");
        Assert.Empty((await alice.Download(empty)).Ok().Bytes);
        var reply = await alice.Request(HttpMethod.Get, MediaUser.DownloadPath(empty), null, headers => headers.TryAddWithoutValidation("Range", "bytes=0-"));
        Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, reply.Status);
    }

    async Task<Reply> Get(string? range, params (string Name, string Value)[] more)
    {
        var alice = await servers.First.NewUser();
        var file = await alice.Upload(Encoding.ASCII.GetBytes(Alphabet), "text/plain");
        return await alice.Request(HttpMethod.Get, MediaUser.DownloadPath(file), null, headers =>
        {
            foreach (var (name, value) in more.Append(("Range", range ?? "")).Where(header => header.Item2.Length > 0))
                headers.TryAddWithoutValidation(name, value);
        });
    }
}
