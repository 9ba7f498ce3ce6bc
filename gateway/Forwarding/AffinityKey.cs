using Matrix.Gateway.Routing;
using Matrix.Hosting;

namespace Matrix.Gateway.Forwarding;

/// <summary>What a request has in common with others that should meet the same replica.</summary>
static class AffinityKey
{
    /// <summary>A stable 64-bit hash of the key, the same in every gateway; null where the request has none.</summary>
    public static ulong? Of(HttpContext context, Affinity affinity)
    {
        var key = affinity switch
        {
            Affinity.Token => Token(context.Request),
            Affinity.RoomOrOrigin => Room(RequestTarget.Path(context)) ?? Origin(context.Request.Headers.Authorization.ToString()),
            _ => null,
        };
        return string.IsNullOrEmpty(key) ? null : Hash(key);
    }

    /// <summary>FNV-1a with a final mix, so that keys that differ in their last letter spread over all replicas.</summary>
    public static ulong Hash(string key)
    {
        var hash = 14695981039346656037UL;
        foreach (var c in key) hash = (hash ^ c) * 1099511628211UL;
        return Mix(hash);
    }

    public static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 33)) * 0xff51afd7ed558ccdUL;
        value = (value ^ (value >> 33)) * 0xc4ceb9fe1a85ec53UL;
        return value ^ (value >> 33);
    }

    static string? Token(HttpRequest request)
    {
        var header = request.Headers.Authorization.ToString();
        return header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? header[7..] : request.Query["access_token"].ToString();
    }

    static string? Room(string? path)
    {
        if (path is null) return null;
        foreach (var range in path.AsSpan().Split('/'))
        {
            var segment = path.AsSpan(range);
            if (segment is ['!', ..] || segment.StartsWith("%21", StringComparison.Ordinal)) return Uri.UnescapeDataString(segment.ToString());
        }

        return null;
    }

    // Server-Server API, Request Authentication: X-Matrix origin="a.example",key=…
    static string? Origin(string header)
    {
        if (!header.StartsWith("X-Matrix", StringComparison.OrdinalIgnoreCase)) return null;
        var start = header.IndexOf("origin=", StringComparison.OrdinalIgnoreCase);
        if (start < 0) return null;
        var value = header.AsSpan(start + 7);
        var end = value.IndexOf(',');
        return (end < 0 ? value : value[..end]).Trim(" \"").ToString();
    }
}
