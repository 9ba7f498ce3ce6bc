using System.Buffers;
using System.Security.Cryptography;
using Matrix.Http;

namespace Matrix.MediaRepo;

/// <summary>Bytes that are in the media store for good.</summary>
public sealed record StoredFile(byte[] Hash, long Size);

/// <summary>
/// The media store on disk. A file's name is the SHA-256 of its content, so a file that exists is complete and never changes: it
/// is written beside its place, flushed, and renamed into it.
/// </summary>
public sealed class MediaFiles(MediaOptions options)
{
    const int BufferSize = 64 * 1024;
    readonly string _root = Path.GetFullPath(options.MediaStorePath);

    /// <summary>Keeps a stream. An interrupted one leaves nothing but a file in <c>incoming</c>, which is deleted at once if this process lives.</summary>
    /// <param name="limit">In bytes.</param>
    /// <exception cref="MatrixException">413: there is more than the limit.</exception>
    public async Task<StoredFile> Write(Stream content, long limit, CancellationToken ct)
    {
        var incoming = Path.Combine(_root, "incoming", Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(Path.GetDirectoryName(incoming)!);
        try
        {
            var stored = await Receive(content, limit, incoming, ct);
            var path = PathOf(stored.Hash);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.Move(incoming, path, overwrite: true);
            return stored;
        }
        finally
        {
            File.Delete(incoming);
        }
    }

    /// <exception cref="FileNotFoundException">The media store has lost it.</exception>
    public FileStream Open(byte[] hash) =>
        new(PathOf(hash), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0, FileOptions.Asynchronous | FileOptions.SequentialScan);

    static async Task<StoredFile> Receive(Stream content, long limit, string path, CancellationToken ct)
    {
        using var sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.Asynchronous);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            for (int read; (read = await content.ReadAsync(buffer.AsMemory(0, BufferSize), ct)) > 0;)
            {
                if (file.Position + read > limit)
                    throw MatrixException.TooLarge();
                sha256.AppendData(buffer, 0, read);
                await file.WriteAsync(buffer.AsMemory(0, read), ct);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        file.Flush(flushToDisk: true);
        return new StoredFile(sha256.GetHashAndReset(), file.Length);
    }

    // two levels of folders, so that none of them gets large
    string PathOf(byte[] hash)
    {
        var name = Convert.ToHexStringLower(hash);
        return Path.Combine(_root, "content", name[..2], name[2..4], name);
    }
}
