using System.Buffers;
using Microsoft.AspNetCore.Http;

namespace Matrix.Hosting;

/// <summary>
/// One id for a request from the gateway to the last service: taken from X-Request-Id where it is short and harmless, else made here;
/// it is the RequestId of every log line written for the request and goes back to the caller.
/// </summary>
public static class RequestIds
{
    public const string Header = "X-Request-Id";

    static readonly SearchValues<char> Harmless =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");

    public static void Apply(HttpContext context)
    {
        var given = context.Request.Headers[Header].ToString();
        if (given.Length is > 0 and <= 64 && !given.AsSpan().ContainsAnyExcept(Harmless)) context.TraceIdentifier = given;
        else context.Request.Headers[Header] = context.TraceIdentifier = Guid.CreateVersion7().ToString("N");
        context.Response.Headers[Header] = context.TraceIdentifier;
    }
}
