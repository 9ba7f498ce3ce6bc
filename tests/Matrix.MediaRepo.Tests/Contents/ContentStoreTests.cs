using System.Net;
using System.Security.Cryptography;
using Amazon.S3;
using Matrix.Storage.Media;

namespace Matrix.MediaRepo.Tests.Contents;

/// <summary>Every store keeps the same promises: files in a folder, and objects in a bucket.</summary>
public sealed class ContentStoreTests : IAsyncLifetime
{
    const int Part = 5 * 1024 * 1024;
    readonly string _folder = Directory.CreateTempSubdirectory("matrix-content-").FullName;
    TestBucket _bucket = null!;

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _bucket = await TestBucket.Start();

    public async ValueTask DisposeAsync()
    {
        await _bucket.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("disk", 0)]
    [InlineData("disk", 100_000)]
    [InlineData("s3", 0)]
    [InlineData("s3", 100_000)]
    [InlineData("s3", Part - 1)]
    [InlineData("s3", Part)]
    [InlineData("s3", (2 * Part) + 12345)]
    public async Task What_is_kept_is_there_whole_and_in_parts(string kind, int size)
    {
        using var stores = Stores(kind);
        var (content, store) = (RandomNumberGenerator.GetBytes(size), stores.Primary);
        var hash = await Keep(store, content);
        Assert.Equal(SHA256.HashData(content), hash);
        Assert.True(await store.Has(hash, Stop));
        Assert.Equal(content, await Read(store, hash, 0, null));
        if (size > 1000)
            Assert.Equal(content[900..1000], (await Read(store, hash, 900, 100))!.Take(100));
        Assert.Equal([hash], await store.List(Stop).ToListAsync(Stop));
        await store.Delete(hash, Stop);
        await store.Delete(hash, Stop);
        Assert.Null(await Read(store, hash, 0, null));
        Assert.False(await store.Has(hash, Stop));
        await NothingIsLeft();
    }

    [Theory, InlineData("disk"), InlineData("s3")]
    public async Task What_is_too_large_or_not_kept_leaves_nothing(string kind)
    {
        using var stores = Stores(kind);
        foreach (var size in new[] { 2000, Part + 2000, (2 * Part) + 1 })
        {
            using var content = new MemoryStream(RandomNumberGenerator.GetBytes(size));
            await Assert.ThrowsAsync<ContentTooLargeException>(() => stores.Primary.Receive(content, size - 1, Stop));
            content.Position = 0;
            await (await stores.Primary.Receive(content, size, Stop)).DisposeAsync();
        }
        await NothingIsLeft();
    }

    [Theory, InlineData("disk"), InlineData("s3")]
    public async Task All_is_listed(string kind)
    {
        using var stores = Stores(kind);
        var hashes = new List<byte[]>();
        for (var i = 0; i < 7; i++)
            hashes.Add(await Keep(stores.Primary, RandomNumberGenerator.GetBytes(10)));
        var listed = await stores.Primary.List(Stop).Select(Convert.ToHexStringLower).ToListAsync(Stop);
        Assert.Equal(hashes.Select(Convert.ToHexStringLower).Order(), listed.Order());
    }

    [Fact]
    public async Task A_bucket_refuses_who_does_not_know_its_secret()
    {
        using var stores = Stores("s3", "another secret");
        Assert.Equal(HttpStatusCode.Forbidden, (await Assert.ThrowsAsync<AmazonS3Exception>(() => Keep(stores.Primary, [1, 2, 3]))).StatusCode);
        Assert.Empty(await _bucket.Objects());
    }

    [Fact]
    public async Task Content_is_moved_to_a_new_store_and_is_there_all_the_time()
    {
        var contents = new List<byte[]>();
        using (var old = Stores("disk"))
        {
            foreach (var size in new[] { 0, 10, 100_000, Part + 10, 30 })
            {
                contents.Add(RandomNumberGenerator.GetBytes(size));
                await Keep(old.Primary, contents[^1]);
            }
        }
        using var both = Stores("s3,disk");
        await Keep(both.Primary, contents[1]);
        Assert.All(contents, content => Assert.NotNull(both.Open(SHA256.HashData(content), 0, null, Stop).Result));
        var migration = new ContentMigration(both);
        await migration.Run(keepOld: false, Stop);
        Assert.Equal((4, 1, contents.Sum(content => content.Length) - 10), migration.Progress is var p ? (p.Moved, p.AlreadyThere, p.Bytes) : default);
        Assert.Equal((5L, 5L), (migration.Progress.Done, migration.Progress.Total));
        using var now = Stores("s3");
        foreach (var content in contents)
            Assert.Equal(content, await Read(now.Primary, SHA256.HashData(content), 0, null));
        Assert.Empty(Directory.GetFiles(_folder, "*", SearchOption.AllDirectories));
        Assert.All(await _bucket.Objects(), key => Assert.StartsWith("content/", key, StringComparison.Ordinal));
    }

    ContentStores Stores(string kinds, string? secret = null)
    {
        var bucket = _bucket.Options;
        return new(new MediaStoreOptions
        {
            MediaStorePath = _folder,
            MediaStores = kinds.Split(','),
            MediaS3 = new S3Options
            {
                Endpoint = bucket.Endpoint, Bucket = bucket.Bucket, Region = bucket.Region, AccessKeyId = bucket.AccessKeyId,
                SecretAccessKey = secret ?? bucket.SecretAccessKey, Prefix = bucket.Prefix,
            },
        }, TimeProvider.System);
    }

    async Task NothingIsLeft()
    {
        Assert.Empty(Directory.GetFiles(_folder, "*", SearchOption.AllDirectories));
        Assert.Empty(await _bucket.Objects());
        Assert.Equal(0, await _bucket.Uploads());
    }

    static async Task<byte[]> Keep(IContentStore store, byte[] content)
    {
        using var stream = new MemoryStream(content);
        await using var incoming = await store.Receive(stream, content.Length, Stop);
        await incoming.Keep(Stop);
        return incoming.Hash;
    }

    static async Task<byte[]?> Read(IContentStore store, byte[] hash, long offset, long? length)
    {
        await using var stream = await store.Open(hash, offset, length, Stop);
        if (stream == null)
            return null;
        using var all = new MemoryStream();
        await stream.CopyToAsync(all, Stop);
        return all.ToArray();
    }
}
