namespace Matrix.Gateway.Routing;

/// <summary>Requests under a path pattern, and the service that answers them.</summary>
/// <param name="Pattern">Literal segments, <c>{name}</c> for any one segment, <c>{**rest}</c> for any number.</param>
/// <param name="Service">The service's name, which is its cluster's key in the configuration.</param>
/// <param name="Affinity">What decides which replica gets a request.</param>
public sealed record GatewayRoute(string Pattern, string Service, Affinity Affinity)
{
    readonly string[] _segments = Pattern.Split('/', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Bodies are as large as <c>max_upload_size</c> allows.</summary>
    public bool TakesUploads { get; init; }

    /// <summary>Waits for news, and may be asked again at any moment: the same question has the same answer.</summary>
    public bool IsPoll { get; init; }

    /// <summary>Large bodies that are asked for again are kept, and sent again when the service has said that they still hold.</summary>
    public bool KeepsBodies { get; init; }

    internal bool Matches(ReadOnlySpan<char> path)
    {
        path = path.TrimStart('/');
        foreach (var segment in _segments)
        {
            if (segment.StartsWith("{**", StringComparison.Ordinal)) return true;
            var end = path.IndexOf('/');
            var part = end < 0 ? path : path[..end];
            if (part.IsEmpty || (segment[0] != '{' && !part.Equals(segment, StringComparison.OrdinalIgnoreCase))) return false;
            path = end < 0 ? default : path[(end + 1)..];
        }

        return path.IsEmpty;
    }
}

/// <summary>Requests with the same key go to the same replica while it lives, so that its caches serve them; nothing depends on it.</summary>
public enum Affinity
{
    /// <summary>The least busy of two replicas.</summary>
    None,

    /// <summary>The access token: a user's device.</summary>
    Token,

    /// <summary>The room in the path, else the server that signed the request.</summary>
    RoomOrOrigin,
}
