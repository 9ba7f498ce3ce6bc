using System.Net;
using System.Runtime.CompilerServices;
using Amazon;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace Matrix.Storage.Media;

/// <summary>
/// Contents as objects of a bucket. Nothing touches a local disk: a small upload is held in memory, of a large one the part that is being sent, and it
/// becomes <c>incoming/…</c> until its hash is known, when the bucket copies it to its place. (A life-cycle rule of the bucket for <c>incoming/</c>,
/// unfinished uploads included, clears up after processes that died.)
/// </summary>
public sealed class S3ContentStore : IContentStore, IDisposable
{
    readonly S3Options _options;
    readonly TimeProvider _time;
    readonly AmazonS3Client _client;

    public S3ContentStore(S3Options options, TimeProvider time)
    {
        (_options, _time) = (options, time);
        var config = new AmazonS3Config
        {
            ForcePathStyle = options.ForcePathStyle,
            // the newer checksums are not known to all that speak S3, and the signature covers the body's SHA-256 anyway
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
            MaxErrorRetry = 3,
            Timeout = TimeSpan.FromMinutes(5),
        };
        if (options.Endpoint is { Length: > 0 } endpoint)
        {
            config.ServiceURL = endpoint;
            config.AuthenticationRegion = options.Region;
        }
        else
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(options.Region);
        }
        _client = options.AccessKeyId is { Length: > 0 } key
            ? new AmazonS3Client(new BasicAWSCredentials(key, options.SecretAccessKey ?? ""), config)
            : new AmazonS3Client(config);
    }

    public string Name => "s3";

    public Task<IncomingContent> Receive(Stream content, long limit, CancellationToken ct) =>
        new S3Upload(_client, _options.Bucket, _options.Prefix, KeyOf).Receive(content, limit, ct);

    public async Task<Stream?> Open(byte[] hash, long offset, long? length, CancellationToken ct)
    {
        var request = new GetObjectRequest { BucketName = _options.Bucket, Key = KeyOf(hash) };
        if (offset > 0 || length != null)
            request.ByteRange = new ByteRange(offset, length is { } some ? offset + some - 1 : long.MaxValue);
        try
        {
            return (await _client.GetObjectAsync(request, ct)).ResponseStream;
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    public async Task<bool> Has(byte[] hash, CancellationToken ct)
    {
        try
        {
            await _client.GetObjectMetadataAsync(_options.Bucket, KeyOf(hash), ct);
            return true;
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            return false;
        }
    }

    /// <summary>Throws unless the bucket is there and may be listed with these credentials.</summary>
    public Task Ask(CancellationToken ct) =>
        _client.ListObjectsV2Async(new() { BucketName = _options.Bucket, Prefix = _options.Prefix + "content/", MaxKeys = 1 }, ct);

    public Task Delete(byte[] hash, CancellationToken ct) => _client.DeleteObjectAsync(_options.Bucket, KeyOf(hash), ct);

    public async IAsyncEnumerable<byte[]> List([EnumeratorCancellation] CancellationToken ct)
    {
        var request = new ListObjectsV2Request { BucketName = _options.Bucket, Prefix = _options.Prefix + "content/" };
        ListObjectsV2Response page;
        do
        {
            page = await _client.ListObjectsV2Async(request, ct);
            foreach (var found in page.S3Objects ?? [])
            {
                if (found.Key[(found.Key.LastIndexOf('/') + 1)..] is { Length: 64 } name)
                    yield return Convert.FromHexString(name);
            }
            request.ContinuationToken = page.NextContinuationToken;
        }
        while (page.IsTruncated == true);
    }

    public string? FindFile(byte[] hash) => null;

    public Uri? SignedUrl(byte[] hash, string contentType, string contentDisposition)
    {
        if (!_options.Redirect)
            return null;
        var request = new GetPreSignedUrlRequest
        {
            BucketName = _options.Bucket,
            Key = KeyOf(hash),
            Verb = HttpVerb.GET,
            Expires = _time.GetUtcNow().UtcDateTime + _options.RedirectLifetime,
            Protocol = _options.Endpoint?.StartsWith("http:", StringComparison.OrdinalIgnoreCase) == true ? Amazon.S3.Protocol.HTTP : Amazon.S3.Protocol.HTTPS,
        };
        request.ResponseHeaderOverrides.ContentType = contentType;
        request.ResponseHeaderOverrides.ContentDisposition = contentDisposition;
        return new Uri(_client.GetPreSignedURL(request));
    }

    public void Dispose() => _client.Dispose();

    string KeyOf(byte[] hash) => $"{_options.Prefix}content/{Convert.ToHexStringLower(hash)}";
}
