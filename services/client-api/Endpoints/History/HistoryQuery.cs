using System.Globalization;
using System.Text;
using Matrix.ClientApi.Sync;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage.Rooms;

namespace Matrix.ClientApi.Endpoints.History;

/// <summary>The query parameters that history endpoints share.</summary>
static class HistoryQuery
{
    public const int MaxLimit = 1000;
    const int DefaultLimit = 10;

    public static int Limit(HttpContext context, int otherwise = DefaultLimit)
    {
        string? limit = context.Request.Query["limit"];
        if (string.IsNullOrEmpty(limit))
            return otherwise;
        return int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            ? Math.Min(value, MaxLimit)
            : throw MatrixException.InvalidParam("'limit' must be a whole number, not negative.");
    }

    /// <param name="otherwise">When the client does not say; null: it has to.</param>
    public static TimelineDirection Direction(HttpContext context, TimelineDirection? otherwise = null) => (string?)context.Request.Query["dir"] switch
    {
        "b" => TimelineDirection.Backwards,
        "f" => TimelineDirection.Forwards,
        null or "" => otherwise ?? throw MatrixException.MissingParam("dir"),
        _ => throw MatrixException.InvalidParam("'dir' must be b or f."),
    };

    public static bool? Boolean(HttpContext context, string name) => (string?)context.Request.Query[name] switch
    {
        null or "" => null,
        "true" => true,
        "false" => false,
        _ => throw MatrixException.InvalidParam($"'{name}' must be true or false."),
    };

    public static RoomEventFilter Filter(HttpContext context)
    {
        string? filter = context.Request.Query["filter"];
        return string.IsNullOrEmpty(filter) ? RoomEventFilter.Default : RoomEventFilter.Parse(Encoding.UTF8.GetBytes(filter));
    }

    /// <summary>A token's position; null when it is not given.</summary>
    public static long? Token(HttpContext context, string name) => Edge(context, name)?.Position;

    /// <summary>The place in a timeline that a token names; null when it is not given.</summary>
    public static TimelineEdge? Edge(HttpContext context, string name)
    {
        string? token = context.Request.Query[name];
        if (string.IsNullOrEmpty(token))
            return null;
        return SyncToken.TryParse(token, out var parsed)
            ? new TimelineEdge(parsed.Position.Value, parsed.AtGap)
            : throw MatrixException.InvalidParam($"'{name}' is not a token of this server.");
    }

    public static string Format(long position) => new TimelineEdge(position).ToString();
}
