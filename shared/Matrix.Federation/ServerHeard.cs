namespace Matrix.Federation;

/// <summary>A server that failed answered or was heard from: what processes tell each other, so that who has something for it tries again at once.</summary>
public sealed record ServerHeard(string Kind, string Server)
{
    public const string KindName = "server-heard";
}
