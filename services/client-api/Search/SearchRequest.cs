using System.Globalization;
using System.Text;
using Matrix.Http;

namespace Matrix.ClientApi.Search;

/// <summary>How events are searched for (Client-Server API, POST /search): the category <c>room_events</c>.</summary>
sealed record RoomEventsCriteria(
    string SearchTerm, IReadOnlyList<string>? Keys = null, System.Text.Json.JsonElement? Filter = null, string OrderBy = "rank", ContextCriteria? EventContext = null,
    bool IncludeState = false, GroupingCriteria? Groupings = null);

sealed record ContextCriteria(int BeforeLimit = 5, int AfterLimit = 5, bool IncludeProfile = false);

sealed record GroupingCriteria(IReadOnlyList<GroupCriteria>? GroupBy = null);

sealed record GroupCriteria(string? Key = null);

/// <summary>Where a page of results goes on: nothing above a position, so that what is new shifts nothing; within a group, if the page before was asked for it.</summary>
sealed record SearchToken(long UpTo, int Offset, string? Room = null, string? Sender = null)
{
    public string Format() => Convert.ToBase64String(Encoding.UTF8.GetBytes(
        string.Create(CultureInfo.InvariantCulture, $"{UpTo}\n{Offset}\n{Room}\n{Sender}"))).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    public static SearchToken? Parse(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return null;
        var bytes = new byte[text.Length];
        var padded = text.Replace('-', '+').Replace('_', '/') + new string('=', (4 - (text.Length % 4)) % 4);
        return text.Length < 1000 && Convert.TryFromBase64String(padded, bytes, out var length)
            && Encoding.UTF8.GetString(bytes, 0, length).Split('\n') is [var upTo, var offset, var room, var sender]
            && long.TryParse(upTo, CultureInfo.InvariantCulture, out var position) && int.TryParse(offset, NumberStyles.None, CultureInfo.InvariantCulture, out var skip)
            ? new SearchToken(position, skip, room.Length > 0 ? room : null, sender.Length > 0 ? sender : null)
            : throw MatrixException.InvalidParam("next_batch is not a token of this search.");
    }
}
