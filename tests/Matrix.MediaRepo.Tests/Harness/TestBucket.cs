using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Matrix.Storage.Media;
using Matrix.Testing;

namespace Matrix.MediaRepo.Tests;

/// <summary>
/// The bucket that a test uses: of our own <see cref="S3Server"/>, or, with <c>MATRIX_TEST_S3=http://KEY:SECRET@HOST:PORT/BUCKET</c>, of a server that
/// somebody else has written (tests/README.md says how to start Ceph's). There each test has a prefix of its own, and leaves nothing.
/// </summary>
sealed class TestBucket : IAsyncDisposable
{
    public const string Variable = "MATRIX_TEST_S3";

    readonly S3Server? _own;
    readonly AmazonS3Client _client;

    TestBucket(S3Server? own, S3Options options)
    {
        (_own, Options) = (own, options);
        _client = new AmazonS3Client(
            new BasicAWSCredentials(options.AccessKeyId, options.SecretAccessKey),
            new AmazonS3Config { ServiceURL = options.Endpoint, AuthenticationRegion = options.Region, ForcePathStyle = true });
    }

    public S3Options Options { get; }

    public static async Task<TestBucket> Start()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } foreign)
        {
            var url = new Uri(foreign);
            var (key, secret) = url.UserInfo.Split(':') is [var first, var second] ? (first, second) : throw new InvalidOperationException($"{Variable} has no key and secret.");
            var bucket = new TestBucket(null, new S3Options
            {
                Endpoint = url.GetLeftPart(UriPartial.Authority).Replace(url.UserInfo + "@", "", StringComparison.Ordinal), Bucket = url.AbsolutePath.Trim('/'),
                AccessKeyId = key, SecretAccessKey = secret, Prefix = $"test-{Guid.NewGuid():N}/",
            });
            await bucket._client.PutBucketAsync(bucket.Options.Bucket);
            return bucket;
        }
        var own = await S3Server.Start();
        return new TestBucket(own, new S3Options
        {
            Endpoint = own.Url, Bucket = S3Server.Bucket, Region = S3Server.Region, AccessKeyId = S3Server.AccessKey, SecretAccessKey = S3Server.Secret,
        });
    }

    public void Configure(Dictionary<string, string?> configuration, string stores)
    {
        configuration["media_stores"] = stores;
        foreach (var (key, value) in new[]
        {
            ("endpoint", Options.Endpoint), ("bucket", Options.Bucket), ("region", Options.Region), ("access_key_id", Options.AccessKeyId),
            ("secret_access_key", Options.SecretAccessKey),
        })
            configuration[$"media_s3:{key}"] = value;
        if (Options.Prefix.Length > 0)
            configuration["media_s3:prefix"] = Options.Prefix;
    }

    /// <summary>The names of all objects, without the prefix.</summary>
    public async Task<IReadOnlyList<string>> Objects()
    {
        if (_own is not null)
            return [.. _own.Objects.Keys];
        var found = await _client.ListObjectsV2Async(new ListObjectsV2Request { BucketName = Options.Bucket, Prefix = Options.Prefix });
        Assert.NotEqual(true, found.IsTruncated);
        return [.. (found.S3Objects ?? []).Select(item => item.Key[Options.Prefix.Length..])];
    }

    /// <summary>Uploads in parts that were neither finished nor given up.</summary>
    public async Task<int> Uploads()
    {
        if (_own is not null)
            return _own.Uploads;
        var found = await _client.ListMultipartUploadsAsync(new ListMultipartUploadsRequest { BucketName = Options.Bucket, Prefix = Options.Prefix });
        return found.MultipartUploads?.Count ?? 0;
    }

    public async ValueTask DisposeAsync()
    {
        if (_own is not null)
        {
            await _own.DisposeAsync();
        }
        else
        {
            foreach (var name in await Objects())
                await _client.DeleteObjectAsync(Options.Bucket, Options.Prefix + name);
        }
        _client.Dispose();
    }
}
