using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;

namespace Matrix.MediaRepo.Tests.Serving;

/// <summary>
/// A large file passes through without being held: <c>MATRIX_TEST_LARGE_FILE=1073741824 dotnet run -c Release --project tests/Matrix.MediaRepo.Tests --
/// --filter-class '*FlatMemoryTests' --show-stdout All --output Detailed</c> passes one of 1 GB.
/// </summary>
public sealed class FlatMemoryTests(MediaServers servers)
{
    static readonly long Size = long.TryParse(Environment.GetEnvironmentVariable("MATRIX_TEST_LARGE_FILE"), NumberStyles.None, CultureInfo.InvariantCulture, out var size)
        ? size : 80 << 20;

    // of a file in a bucket the part that is being sent is in memory, and its hash
    const long MostGrowth = 50 << 20;

    [Theory]
    [InlineData("disk")]
    [InlineData("s3")]
    public async Task A_large_file_goes_up_and_down_with_little_memory(string store)
    {
        var ct = TestContext.Current.CancellationToken;
        await using var bucket = await TestBucket.Start();
        var settings = new Dictionary<string, string?>();
        bucket.Configure(settings, store);
        await using var media = await MediaProcess.Start(
            servers, [.. settings.Select(setting => (setting.Key, setting.Value!)), ("max_upload_size", (Size + 1).ToString(CultureInfo.InvariantCulture))]);
        var alice = new ApiClient(media.Http, (await servers.First.NewUser()).AccessToken);
        await alice.Download(await alice.Upload([1, 2, 3])); // what is loaded for the first of them is no file's
        var before = media.Peak;

        using var up = new Numbers(Size);
        using var body = new StreamContent(up, 1 << 18);
        var uri = new Uri((await alice.Post("/_matrix/media/v3/upload", body)).Ok().String("content_uri"));
        var peakUp = media.Peak;
        using var request = new HttpRequestMessage(HttpMethod.Get, MediaUser.DownloadPath(uri));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", alice.AccessToken);
        using var response = await media.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
        Assert.Equal(Size, response.Content.Headers.ContentLength);
        using var expected = new Numbers(Size);
        Assert.Equal(await SHA256.HashDataAsync(expected, ct), await SHA256.HashDataAsync(await response.Content.ReadAsStreamAsync(ct), ct));

        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{store}, {Size >> 20} MiB: peak {before >> 20} MiB before, {peakUp >> 20} after the upload, {media.Peak >> 20} after the download"));
        Assert.InRange(media.Peak - before, 0, MostGrowth);
    }

    /// <summary>So many bytes, no two blocks of which are equal.</summary>
    sealed class Numbers(long length) : Stream
    {
        long _position;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => length;

        public override long Position { get => _position; set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            var read = (int)Math.Min(count, length - _position);
            for (var i = 0; i < read; i++, _position++)
                buffer[offset + i] = (byte)((_position * 31) ^ (_position >> 13));
            return read;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
