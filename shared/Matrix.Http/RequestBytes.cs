using System.IO.Pipelines;
using Matrix.Protocol;
using Microsoft.AspNetCore.Http;

namespace Matrix.Http;

static class RequestBytes
{
    static readonly object Kept = new();

    /// <summary>
    /// The whole body, for each parameter that needs it: a signature covers what another parses. Kestrel enforces the size limit (413), so the pipe
    /// never holds more than that.
    /// </summary>
    public static async ValueTask<ReadOnlyMemory<byte>> Read(HttpRequest request, CancellationToken ct)
    {
        if (request.HttpContext.Items.TryGetValue(Kept, out var read)) return (ReadOnlyMemory<byte>)read!;
        var bytes = await ReadPipe(request, ct);
        request.HttpContext.Items[Kept] = bytes;
        return bytes;
    }

    /// <summary>The same without halves of surrogate pairs, for all who read it.</summary>
    public static async ValueTask<ReadOnlyMemory<byte>> ReadText(HttpRequest request, CancellationToken ct)
    {
        var read = await Read(request, ct);
        if (read.Span.IndexOf("\\ud"u8) < 0 && read.Span.IndexOf("\\uD"u8) < 0) return read;
        var bytes = read.ToArray();
        HalfSurrogates.Replace(bytes);
        request.HttpContext.Items[Kept] = (ReadOnlyMemory<byte>)bytes;
        return bytes;
    }

    static async ValueTask<ReadOnlyMemory<byte>> ReadPipe(HttpRequest request, CancellationToken ct)
    {
        var pipe = request.BodyReader;
        ReadResult result;
        while (!(result = await pipe.ReadAsync(ct)).IsCompleted) pipe.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        var bytes = System.Buffers.BuffersExtensions.ToArray(result.Buffer);
        pipe.AdvanceTo(result.Buffer.End);
        return bytes;
    }
}
