using System.Buffers;
using System.Collections.Concurrent;

namespace Matrix.ClientApi.Sync;

/// <summary>Answers that are already encoded.</summary>
static class JsonBytes
{
    const int Largest = 1 << 20;

    // Answers of more than 85,000 bytes would each be garbage that only a full collection finds.
    static readonly ConcurrentBag<ArrayBufferWriter<byte>> buffers = [];
    static readonly int most = 4 * Environment.ProcessorCount;

    public static async Task Write(HttpContext context, ReadOnlyMemory<byte> json, CancellationToken ct)
    {
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = json.Length;
        await context.Response.BodyWriter.WriteAsync(json, ct);
    }

    /// <summary>Writes an answer to a buffer that is used again for others, and sends it.</summary>
    public static async Task Write<T>(HttpContext context, T answer, Action<JsonSplicer, T> encode, CancellationToken ct)
    {
        if (!buffers.TryTake(out var buffer))
            buffer = new ArrayBufferWriter<byte>(16 << 10);
        encode(new JsonSplicer(buffer), answer);
        await Write(context, buffer.WrittenMemory, ct);
        if (buffer.Capacity > Largest || buffers.Count >= most)
            return;
        buffer.ResetWrittenCount();
        buffers.Add(buffer);
    }
}
