using Matrix.Protocol;

namespace Matrix.Federation;

/// <summary>The body of an answer: bounded in size and time, whatever the other server does; its failures name that server.</summary>
sealed class Answer(ServerName destination, Stream inner, long maxBytes, CancellationTokenSource limit, CancellationToken caller) : ReadOnlyStream
{
    readonly LimitedStream _inner = new(inner, maxBytes);

    public async Task<byte[]> ReadAll()
    {
        using var whole = new MemoryStream();
        await CopyToAsync(whole, caller);
        return whole.ToArray();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        // the limit is tied to the request's own token; a token of one read alone is rare
        using var both = cancellationToken.CanBeCanceled && cancellationToken != caller
            ? CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken) : null;
        try
        {
            return await _inner.ReadAsync(buffer, both?.Token ?? limit.Token);
        }
        catch (Exception e) when (!caller.IsCancellationRequested && !cancellationToken.IsCancellationRequested && Failure(e) is { } failure)
        {
            throw failure;
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Read asynchronously: another server answers when it likes.");

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _inner.Dispose();
            limit.Dispose();
        }
        base.Dispose(disposing);
    }

    FederationException? Failure(Exception e) => e switch
    {
        AnswerTooLargeException => new FederationException(destination, FederationFailure.TooLarge, $"the answer is larger than {maxBytes} bytes", e),
        OperationCanceledException => new FederationException(destination, FederationFailure.TimedOut, "the answer did not come in time", e),
        IOException or HttpRequestException => new FederationException(destination, FederationFailure.Unreachable, "the answer broke off", e),
        _ => null,
    };
}
