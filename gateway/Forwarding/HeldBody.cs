using Matrix.Hosting.Health;

namespace Matrix.Gateway.Forwarding;

/// <summary>
/// Small bodies, which is nearly all of them, are read before the first attempt, so that a request that a stopping replica refused can go to another.
/// Larger ones are streamed, and are repeated only when no connection was made at all.
/// </summary>
static class HeldBody
{
    const int Limit = DrainingHeader.MovableBody;

    public static async Task Hold(HttpContext context)
    {
        if (context.Request.ContentLength is not (> 0 and <= Limit) || context.Request.Body is MemoryStream) return;
        var body = new byte[context.Request.ContentLength.Value];
        await context.Request.Body.ReadExactlyAsync(body, context.RequestAborted);
        context.Request.Body = new MemoryStream(body, writable: false);
    }

    public static bool CanBeSentAgain(HttpContext context) =>
        context.Request.Body is MemoryStream || context.Request is { ContentLength: null or 0, Headers.TransferEncoding.Count: 0 };

    public static void Rewind(HttpContext context)
    {
        if (context.Request.Body is MemoryStream body) body.Position = 0;
    }
}
