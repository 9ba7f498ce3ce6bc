using System.Diagnostics.CodeAnalysis;
using Matrix.Protocol;

namespace Matrix.Storage.Media;

/// <summary>A place for the bytes of media, under their SHA-256: what is there is complete and never changes. Every replica sees the same one.</summary>
public interface IContentStore
{
    /// <summary>As in the configuration: <c>disk</c>, <c>s3</c>.</summary>
    string Name { get; }

    /// <summary>Takes a stream in, under no name yet. What is not kept is gone when it is disposed.</summary>
    /// <param name="limit">In bytes.</param>
    /// <exception cref="ContentTooLargeException">There is more than the limit.</exception>
    Task<IncomingContent> Receive(Stream content, long limit, CancellationToken ct);

    /// <summary>The bytes from an offset on; null when it is not here.</summary>
    /// <param name="length">No more than these are read; null for all.</param>
    Task<Stream?> Open(byte[] hash, long offset, long? length, CancellationToken ct);

    Task<bool> Has(byte[] hash, CancellationToken ct);

    /// <summary>No matter whether it was there.</summary>
    Task Delete(byte[] hash, CancellationToken ct);

    /// <summary>The hashes of all that is here, in no order.</summary>
    IAsyncEnumerable<byte[]> List(CancellationToken ct);

    /// <summary>The file itself where there is one, for libraries that read files.</summary>
    string? FindFile(byte[] hash);

    /// <summary>An address that anybody may fetch these bytes from for a while, if the store gives such out.</summary>
    Uri? SignedUrl(byte[] hash, string contentType, string contentDisposition);
}

/// <summary>Bytes that have been received whole.</summary>
[SuppressMessage("Design", "CA1063", Justification = "Nothing here is finalised.")]
public abstract class IncomingContent(byte[] hash, long size) : IAsyncDisposable
{
    public byte[] Hash { get; } = hash;

    public long Size { get; } = size;

    /// <summary>Puts them in their place, for good.</summary>
    public abstract Task Keep(CancellationToken ct);

    public abstract ValueTask DisposeAsync();
}

/// <summary>413 M_TOO_LARGE.</summary>
public sealed class ContentTooLargeException(long limit) : Exception($"The content has more than {limit} bytes."), IMatrixError
{
    public int Status => 413;

    public string Errcode => "M_TOO_LARGE";
}
