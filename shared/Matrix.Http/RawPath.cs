using Matrix.Hosting;
using Microsoft.AspNetCore.Http;

namespace Matrix.Http;

/// <summary>
/// The server decodes paths, but leaves %2F: "a%2Fb" and "a%252Fb" would then look the same, and "%2E%2E" would walk up. So routing sees the path
/// as it was sent, and each route value is decoded once, here, for every kind of parameter.
/// </summary>
static class RawPath
{
    public static Task KeepEncoded(HttpContext context, RequestDelegate next)
    {
        if (RequestTarget.Path(context) is { } path) context.Request.Path = new PathString(path);
        return next(context);
    }

    public static Task DecodeRouteValues(HttpContext context, RequestDelegate next)
    {
        var values = context.Request.RouteValues;
        if (values.Count > 0)
        {
            foreach (var (name, value) in values.ToArray())
                if (value is string text && text.Contains('%', StringComparison.Ordinal)) values[name] = Uri.UnescapeDataString(text);
        }

        return next(context);
    }
}
