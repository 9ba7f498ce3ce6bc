using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Matrix.Hosting.Sending;

public static class FileSending
{
    /// <summary>
    /// Adds a part of a file to the body of a response that has a Content-Length and has been started; the next flush sends it, without its bytes passing
    /// through this process.
    /// </summary>
    /// <param name="file">Opened as asynchronous, open until the flush has ended.</param>
    /// <returns>False: this connection cannot do it (TLS, HTTP/2), so the bytes have to be written.</returns>
    public static bool TryWriteFile(this HttpContext context, FileStream file, long offset, int count) =>
        Socket(context) is { } socket && socket.TryAdd(context.Response.BodyWriter, file, offset, count);

    /// <summary>Starts a response with a body, which has to follow: its head leaves with the first of it, if the connection can do that.</summary>
    public static ValueTask StartBeforeBody(this HttpContext context, CancellationToken ct) =>
        Socket(context) is { } socket ? socket.HoldBack(() => context.Response.StartAsync(ct)) : new ValueTask(context.Response.StartAsync(ct));

    static SocketWriter? Socket(HttpContext context) =>
        HttpProtocol.IsHttp11(context.Request.Protocol) && context.Features.Get<ITlsHandshakeFeature>() == null ? context.Features.Get<SocketWriter>() : null;
}
