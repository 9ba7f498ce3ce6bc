using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Matrix.Http;

/// <summary>
/// The server decodes paths, but leaves %2F: "a%2Fb" and "a%252Fb" would then look the same, and "%2E%2E" would walk up. So routing sees the path
/// as it was sent, and each route value is decoded once, here, for every kind of parameter.
/// </summary>
static class RawPath
{
    public static Task KeepEncoded(HttpContext context, RequestDelegate next)
    {
        var target = context.Features.Get<IHttpRequestFeature>()?.RawTarget;
        if (PathOf(target) is { } path) context.Request.Path = new PathString(path);
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

    static string? PathOf(string? target)
    {
        if (string.IsNullOrEmpty(target)) return null;
        if (target[0] != '/')
        {
            // absolute form (RFC 9112, 3.2.2): the path begins after the authority
            var authority = target.IndexOf("://", StringComparison.Ordinal);
            var slash = authority < 0 ? -1 : target.IndexOf('/', authority + 3);
            if (slash < 0) return null;
            target = target[slash..];
        }

        var query = target.IndexOf('?', StringComparison.Ordinal);
        return query < 0 ? target : target[..query];
    }
}
