using Microsoft.AspNetCore.Http;

namespace Matrix.Http;

/// <summary>
/// Clients from before version 1.1 of the specification say <c>r0</c> where it says <c>v3</c> now; the endpoints are the same, and Debian's matrix-nio
/// is one of those clients.
/// </summary>
static class OldPaths
{
    static readonly (string Old, string New)[] s_renamed = [("/_matrix/client/r0/", "/_matrix/client/v3/"), ("/_matrix/media/r0/", "/_matrix/media/v3/")];

    public static Task Rename(HttpContext context, RequestDelegate next)
    {
        foreach (var (old, now) in s_renamed)
        {
            if (context.Request.Path.Value is { } path && path.StartsWith(old, StringComparison.Ordinal))
            {
                context.Request.Path = new PathString(now + path[old.Length..]);
            }
        }
        return next(context);
    }
}
