using System.Globalization;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage.Rooms;

namespace Matrix.ClientApi.Endpoints.Spaces;

/// <summary>Pages of the rooms that two users share, in the order of their numbers.</summary>
sealed class MutualRooms(RoomDetailStore details)
{
    const int PageSize = 100;

    public async Task<(IReadOnlyList<string> Joined, int Count, string? Next)> Read(
        HttpContext context, string tokenName, Requester requester, CancellationToken ct)
    {
        string? other = context.Request.Query["user_id"];
        if (string.IsNullOrEmpty(other))
            throw MatrixException.MissingParam("user_id");
        if (!UserId.TryParse(other, out var userId) || userId == requester.UserId)
            throw MatrixException.InvalidParam("'user_id' must be another user's id.");
        var (rooms, count) = await details.ListShared(requester.UserId.ToString(), other, After(context.Request.Query[tokenName]), PageSize + 1, ct);
        var next = rooms.Count > PageSize ? rooms[PageSize - 1].RoomNid.ToString(CultureInfo.InvariantCulture) : null;
        return ([.. rooms.Take(PageSize).Select(room => room.RoomId)], count, next);
    }

    static long After(string? token) => string.IsNullOrEmpty(token) ? 0
        : long.TryParse(token, NumberStyles.None, CultureInfo.InvariantCulture, out var after) ? after
        : throw MatrixException.InvalidParam("The token is not one of this list.");
}
