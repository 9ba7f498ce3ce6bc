using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;

namespace Matrix.Http;

static class RequestBytes
{
    /// <summary>The whole body. Kestrel enforces the size limit (413), so the pipe never holds more than that.</summary>
    public static async ValueTask<ReadOnlyMemory<byte>> Read(HttpRequest request, CancellationToken ct)
    {
        var pipe = request.BodyReader;
        ReadResult result;
        while (!(result = await pipe.ReadAsync(ct)).IsCompleted) pipe.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        var bytes = System.Buffers.BuffersExtensions.ToArray(result.Buffer);
        pipe.AdvanceTo(result.Buffer.End);
        return bytes;
    }
}
