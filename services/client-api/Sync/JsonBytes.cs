namespace Matrix.ClientApi.Sync;

/// <summary>Answers that are already encoded.</summary>
static class JsonBytes
{
    public static async Task Write(HttpContext context, ReadOnlyMemory<byte> json, CancellationToken ct)
    {
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = json.Length;
        await context.Response.BodyWriter.WriteAsync(json, ct);
    }
}
