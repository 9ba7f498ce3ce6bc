namespace Matrix.Federation;

/// <summary>Reads no further than it may.</summary>
sealed class LimitedStream(Stream inner, long limit) : Stream
{
    long _left = limit;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <exception cref="AnswerTooLargeException"/>
    public static async Task<byte[]> ReadAll(Stream stream, long limit, CancellationToken ct)
    {
        using var whole = new MemoryStream();
        await using var limited = new LimitedStream(stream, limit);
        await limited.CopyToAsync(whole, ct);
        return whole.ToArray();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        Count(await inner.ReadAsync(buffer, cancellationToken));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => Count(inner.Read(buffer, offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            inner.Dispose();
        base.Dispose(disposing);
    }

    int Count(int read) => (_left -= read) >= 0 ? read : throw new AnswerTooLargeException();
}

/// <summary>More bytes came than were wanted.</summary>
sealed class AnswerTooLargeException() : IOException("The answer is too large.");
