using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Matrix.MediaRepo.Tests.Serving;

/// <summary>Files that the kernel sends from where they lie.</summary>
public sealed class LargeFileTests(MediaServers servers)
{
    static readonly byte[] s_content = RandomNumberGenerator.GetBytes(3_500_001);

    [Theory]
    [InlineData(null, null)]
    [InlineData(0, 0)]
    [InlineData(1_048_570, 1_048_590)]
    [InlineData(1, 3_499_999)]
    [InlineData(3_500_000, null)]
    public async Task Whole_or_in_part_it_arrives_as_it_was(int? from, int? to)
    {
        var (alice, file) = await Upload();
        var expected = s_content[(from ?? 0)..((to ?? (s_content.Length - 1)) + 1)];
        // again and again over the same connections, so that a byte too many or too few spoils the next answer
        var replies = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => alice.Request(HttpMethod.Get, MediaUser.DownloadPath(file), null, headers =>
        {
            if (from != null)
                headers.TryAddWithoutValidation("Range", $"bytes={from}-{to}");
        })));
        Assert.All(replies, reply =>
        {
            Assert.Equal(from == null ? HttpStatusCode.OK : HttpStatusCode.PartialContent, reply.Status);
            Assert.True(expected.AsSpan().SequenceEqual(reply.Bytes), $"{reply.Bytes.Length} bytes came, not those {expected.Length}.");
        });
    }

    [Fact]
    public async Task Answers_to_requests_that_were_sent_together_come_one_after_the_other()
    {
        var (alice, file) = await Upload();
        var address = servers.First.BaseUrl;
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 16 * 1024 };
        await socket.ConnectAsync(address.Host, address.Port, TestContext.Current.CancellationToken);
        var requests = new StringBuilder();
        foreach (var (range, close) in new[] { ("0-1999999", ""), ("5-5", ""), ("100-2500099", "Connection: close\r\n") })
            requests.Append($"GET {MediaUser.DownloadPath(file)} HTTP/1.1\r\nHost: {address.Authority}\r\nAuthorization: Bearer {alice.AccessToken}\r\nRange: bytes={range}\r\n{close}\r\n");
        await socket.SendAsync(Encoding.ASCII.GetBytes(requests.ToString()), TestContext.Current.CancellationToken);
        await using var stream = new NetworkStream(socket);
        using var all = new MemoryStream();
        await stream.CopyToAsync(all, TestContext.Current.CancellationToken);
        var rest = all.ToArray();
        foreach (var (from, length) in new[] { (0, 2_000_000), (5, 1), (100, 2_500_000) })
        {
            var head = rest.AsSpan().IndexOf("\r\n\r\n"u8) + 4;
            Assert.StartsWith("HTTP/1.1 206", Encoding.ASCII.GetString(rest[..head]));
            Assert.Equal(s_content[from..(from + length)], rest[head..(head + length)]);
            rest = rest[(head + length)..];
        }
        Assert.Empty(rest);
    }

    [Fact]
    public async Task Who_goes_away_in_the_middle_troubles_nobody()
    {
        var (alice, file) = await Upload();
        var address = servers.First.BaseUrl;
        for (var i = 0; i < 5; i++)
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { LingerState = new LingerOption(i % 2 == 0, 0) };
            await socket.ConnectAsync(address.Host, address.Port, TestContext.Current.CancellationToken);
            await socket.SendAsync(
                Encoding.ASCII.GetBytes($"GET {MediaUser.DownloadPath(file)} HTTP/1.1\r\nHost: {address.Authority}\r\nAuthorization: Bearer {alice.AccessToken}\r\n\r\n"),
                TestContext.Current.CancellationToken);
            await socket.ReceiveAsync(new byte[1000], TestContext.Current.CancellationToken);
        }
        Assert.Equal(s_content, (await alice.Download(file)).Ok().Bytes);
    }

    [Fact]
    public async Task Its_headers_can_be_had_without_it()
    {
        var (alice, file) = await Upload();
        var head = await alice.Request(HttpMethod.Head, MediaUser.DownloadPath(file), null);
        Assert.Equal((HttpStatusCode.OK, 0, (long?)s_content.Length, "video/mp4"),
            (head.Status, head.Bytes.Length, head.ContentHeaders.ContentLength, head.ContentHeaders.ContentType?.ToString()));
        Assert.Equal((await alice.Download(file)).Ok().Headers.ETag, head.Headers.ETag);
        var none = await alice.Request(HttpMethod.Head, MediaUser.DownloadPath(new Uri($"mxc://{servers.First.ServerName}/none")), null);
        Assert.Equal((HttpStatusCode.NotFound, 0), (none.Status, none.Bytes.Length));
        var photo = await alice.Upload(Pictures.Jpeg(200, 200), "image/jpeg");
        var thumbnail = await alice.Request(
            HttpMethod.Head, $"/_matrix/client/v1/media/thumbnail/{photo.Authority}{photo.AbsolutePath}?width=96&height=96&method=crop", null);
        Assert.Equal((HttpStatusCode.OK, 0, "image/jpeg"), (thumbnail.Status, thumbnail.Bytes.Length, thumbnail.ContentHeaders.ContentType?.ToString()));
        Assert.True(thumbnail.ContentHeaders.ContentLength > 0);
    }

    async Task<(User User, Uri File)> Upload()
    {
        var alice = await servers.First.NewUser();
        return (alice, await alice.Upload(s_content, "video/mp4"));
    }
}
