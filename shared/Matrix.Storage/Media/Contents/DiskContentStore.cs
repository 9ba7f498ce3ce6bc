using System.Buffers;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;

namespace Matrix.Storage.Media;

/// <summary>Contents as files of one folder. A file that exists is complete: it is written beside its place, flushed, and renamed into it.</summary>
public sealed class DiskContentStore(string folder) : IContentStore
{
    const int BufferSize = 64 * 1024;
    readonly string _root = Path.GetFullPath(folder);

    public string Name => "disk";

    public async Task<IncomingContent> Receive(Stream content, long limit, CancellationToken ct)
    {
        var path = Path.Combine(_root, "incoming", Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        try
        {
            return await Receive(content, limit, path, ct);
        }
        catch
        {
            File.Delete(path);
            throw;
        }
    }

    public Task<Stream?> Open(byte[] hash, long offset, long? length, CancellationToken ct)
    {
        try
        {
            // asynchronous, which changes nothing about reading, because sockets send no others
            var file = new FileStream(PathOf(hash), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0, FileOptions.Asynchronous);
            file.Position = offset;
            return Task.FromResult<Stream?>(file);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return Task.FromResult<Stream?>(null);
        }
    }

    public Task<bool> Has(byte[] hash, CancellationToken ct) => Task.FromResult(File.Exists(PathOf(hash)));

    public Task Delete(byte[] hash, CancellationToken ct)
    {
        var path = PathOf(hash);
        if (File.Exists(path))
            File.Delete(path);
        return Task.CompletedTask;
    }

    public async IAsyncEnumerable<byte[]> List([EnumeratorCancellation] CancellationToken ct)
    {
        await Task.Yield();
        var contents = Path.Combine(_root, "content");
        if (!Directory.Exists(contents))
            yield break;
        foreach (var file in Directory.EnumerateFiles(contents, "*", SearchOption.AllDirectories))
        {
            ct.ThrowIfCancellationRequested();
            if (Path.GetFileName(file) is { Length: 64 } name)
                yield return Convert.FromHexString(name);
        }
    }

    public string? FindFile(byte[] hash) => PathOf(hash) is var path && File.Exists(path) ? path : null;

    public Uri? SignedUrl(byte[] hash, string contentType, string contentDisposition) => null;

    /// <summary>Deletes what processes that died were receiving.</summary>
    /// <param name="before">Nothing that was touched since.</param>
    public void DeleteAbandoned(DateTimeOffset before)
    {
        var incoming = Path.Combine(_root, "incoming");
        if (!Directory.Exists(incoming))
            return;
        foreach (var file in new DirectoryInfo(incoming).EnumerateFiles().Where(file => file.LastWriteTimeUtc < before.UtcDateTime))
            file.Delete();
    }

    async Task<IncomingContent> Receive(Stream content, long limit, string path, CancellationToken ct)
    {
        using var sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.Asynchronous);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            for (int read; (read = await content.ReadAsync(buffer.AsMemory(0, BufferSize), ct)) > 0;)
            {
                if (file.Position + read > limit)
                    throw new ContentTooLargeException(limit);
                sha256.AppendData(buffer, 0, read);
                await file.WriteAsync(buffer.AsMemory(0, read), ct);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        file.Flush(flushToDisk: true);
        var hash = sha256.GetHashAndReset();
        return new IncomingFile(hash, file.Length, path, PathOf(hash));
    }

    // two levels of folders, so that none of them gets large
    string PathOf(byte[] hash)
    {
        var name = Convert.ToHexStringLower(hash);
        return Path.Combine(_root, "content", name[..2], name[2..4], name);
    }

    sealed class IncomingFile(byte[] hash, long size, string path, string place) : IncomingContent(hash, size)
    {
        public override Task Keep(CancellationToken ct)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(place)!);
            File.Move(path, place, overwrite: true);
            return Task.CompletedTask;
        }

        public override ValueTask DisposeAsync()
        {
            File.Delete(path);
            return ValueTask.CompletedTask;
        }
    }
}
