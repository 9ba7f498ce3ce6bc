using System.Globalization;
using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.Spaces;

/// <summary>
/// How far a walk through a space has come: how many rooms it has shown, with what may not change on the way. The walk begins anew each time; what it
/// reads again is in the caches.
/// </summary>
static class SpaceToken
{
    public static string Format(SpaceWalk walk, int shown) =>
        string.Create(CultureInfo.InvariantCulture, $"h{shown}_{walk.MaxDepth}_{(walk.SuggestedOnly ? 1 : 0)}");

    public static int Depth(HttpContext context)
    {
        string? text = context.Request.Query["max_depth"];
        if (string.IsNullOrEmpty(text))
            return SpaceTree.MostDepth;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var depth)
            ? Math.Min(depth, SpaceTree.MostDepth) : throw MatrixException.InvalidParam("'max_depth' must be a whole number, not negative.");
    }

    public static int Skip(HttpContext context, SpaceWalk walk)
    {
        string? token = context.Request.Query["from"];
        if (string.IsNullOrEmpty(token))
            return 0;
        var parts = token[1..].Split('_');
        if (token[0] != 'h' || parts.Length != 3 || !int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var shown)
            || shown > SpaceTree.MostWalked)
            throw MatrixException.InvalidParam("'from' is not a token of this list.");
        return Format(walk, shown) == token
            ? shown : throw MatrixException.InvalidParam("suggested_only and max_depth cannot change on paginated requests.");
    }
}
