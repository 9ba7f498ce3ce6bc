namespace Matrix.Federation;

/// <summary>Reads no further than it may.</summary>
sealed class LimitedStream(Stream inner, long limit) : ReadOnlyStream
{
    long _left = limit;

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

    public override int Read(byte[] buffer, int offset, int count) => Count(inner.Read(buffer, offset, count));

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
