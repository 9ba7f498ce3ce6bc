using System.Buffers;
using System.Security.Cryptography;
using Amazon.S3;
using Amazon.S3.Model;

namespace Matrix.Storage.Media;

/// <summary>One stream on its way into a bucket: whole if it is small, else in parts.</summary>
sealed class S3Upload(AmazonS3Client client, string bucket, string prefix, Func<byte[], string> keyOf)
{
    // the smallest that S3 takes, so that an upload needs little memory: 10,000 of them are 48 GiB
    const int PartSize = 5 * 1024 * 1024;
    const int FirstBuffer = 64 * 1024;

    readonly List<PartETag> _parts = [];
    readonly string _key = $"{prefix}incoming/{Guid.NewGuid():N}";
    string? _uploadId;

    public async Task<IncomingContent> Receive(Stream content, long limit, CancellationToken ct)
    {
        using var sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(FirstBuffer);
        try
        {
            var size = 0L;
            while (true)
            {
                (buffer, var filled) = await Fill(content, buffer, ct);
                if ((size += filled) > limit)
                    throw new ContentTooLargeException(limit);
                sha256.AppendData(buffer, 0, filled);
                if (filled < PartSize && _uploadId == null)
                    return new Small(this, sha256.GetHashAndReset(), buffer.AsSpan(0, filled).ToArray());
                if (filled > 0)
                    await SendPart(buffer, filled, ct);
                if (filled < PartSize)
                    return await Complete(sha256.GetHashAndReset(), size, ct);
            }
        }
        catch
        {
            await Abort();
            throw;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Reads a part, or what is left. The buffer grows with it.</summary>
    static async Task<(byte[] Buffer, int Filled)> Fill(Stream content, byte[] buffer, CancellationToken ct)
    {
        var filled = 0;
        while (filled < PartSize)
        {
            if (filled == buffer.Length)
            {
                var larger = ArrayPool<byte>.Shared.Rent(Math.Min(buffer.Length * 4, PartSize));
                buffer.AsSpan(0, filled).CopyTo(larger);
                ArrayPool<byte>.Shared.Return(buffer);
                buffer = larger;
            }
            var read = await content.ReadAsync(buffer.AsMemory(filled, Math.Min(buffer.Length, PartSize) - filled), ct);
            if (read == 0)
                break;
            filled += read;
        }
        return (buffer, filled);
    }

    async Task SendPart(byte[] buffer, int filled, CancellationToken ct)
    {
        _uploadId ??= (await client.InitiateMultipartUploadAsync(new InitiateMultipartUploadRequest { BucketName = bucket, Key = _key }, ct)).UploadId;
        using var body = new MemoryStream(buffer, 0, filled, writable: false);
        var sent = await client.UploadPartAsync(new UploadPartRequest
        {
            BucketName = bucket,
            Key = _key,
            UploadId = _uploadId,
            PartNumber = _parts.Count + 1,
            InputStream = body,
            PartSize = filled,
            UseChunkEncoding = false,
        }, ct);
        _parts.Add(new PartETag(_parts.Count + 1, sent.ETag));
    }

    async Task<IncomingContent> Complete(byte[] hash, long size, CancellationToken ct)
    {
        await client.CompleteMultipartUploadAsync(
            new CompleteMultipartUploadRequest { BucketName = bucket, Key = _key, UploadId = _uploadId, PartETags = _parts }, ct);
        _uploadId = null;
        return new Large(this, hash, size);
    }

    // whatever the caller's token says: what is left behind costs money
    async Task Abort()
    {
        if (_uploadId == null)
            return;
        try
        {
            await client.AbortMultipartUploadAsync(new AbortMultipartUploadRequest { BucketName = bucket, Key = _key, UploadId = _uploadId });
        }
        catch (AmazonS3Exception)
        {
            // the first failure is the one to tell
        }
    }

    sealed class Small(S3Upload upload, byte[] hash, byte[] bytes) : IncomingContent(hash, bytes.Length)
    {
        public override async Task Keep(CancellationToken ct)
        {
            using var body = new MemoryStream(bytes, writable: false);
            await upload.Client.PutObjectAsync(
                new PutObjectRequest { BucketName = upload.Bucket, Key = upload.KeyOf(Hash), InputStream = body, UseChunkEncoding = false }, ct);
        }

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    sealed class Large(S3Upload upload, byte[] hash, long size) : IncomingContent(hash, size)
    {
        public override Task Keep(CancellationToken ct) =>
            upload.Client.CopyObjectAsync(upload.Bucket, upload.Key, upload.Bucket, upload.KeyOf(Hash), ct);

        public override async ValueTask DisposeAsync()
        {
            try
            {
                await upload.Client.DeleteObjectAsync(upload.Bucket, upload.Key);
            }
            catch (AmazonS3Exception)
            {
                // the bucket's life-cycle rule deletes it later
            }
        }
    }

    AmazonS3Client Client => client;

    string Bucket => bucket;

    string Key => _key;

    string KeyOf(byte[] hash) => keyOf(hash);
}
