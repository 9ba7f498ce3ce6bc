using System.Globalization;
using System.Text;
using Matrix.ClientApi.Sync;
using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.ClientApi.Endpoints.History;

/// <summary>The query parameters that history endpoints share.</summary>
static class HistoryQuery
{
    public const int MaxLimit = 1000;
    const int DefaultLimit = 10;

    public static int Limit(HttpContext context)
    {
        string? limit = context.Request.Query["limit"];
        if (string.IsNullOrEmpty(limit))
            return DefaultLimit;
        return int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            ? Math.Min(value, MaxLimit)
            : throw MatrixException.InvalidParam("'limit' must be a whole number, not negative.");
    }

    public static RoomEventFilter Filter(HttpContext context)
    {
        string? filter = context.Request.Query["filter"];
        return string.IsNullOrEmpty(filter) ? RoomEventFilter.Default : RoomEventFilter.Parse(Encoding.UTF8.GetBytes(filter));
    }

    /// <summary>A token's position; null when it is not given.</summary>
    public static long? Token(HttpContext context, string name)
    {
        string? token = context.Request.Query[name];
        if (string.IsNullOrEmpty(token))
            return null;
        return SyncToken.TryParse(token, out var parsed)
            ? parsed.Position.Value
            : throw MatrixException.InvalidParam($"'{name}' is not a token of this server.");
    }

    public static string Format(long position) => new SyncToken(new(position)).ToTimelineString();
}
