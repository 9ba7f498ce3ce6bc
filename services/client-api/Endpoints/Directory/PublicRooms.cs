using System.Globalization;
using Matrix.Federation;
using Matrix.Http;
using Matrix.Storage.Rooms;

namespace Matrix.ClientApi.Endpoints.Directory;

/// <summary>Pages of the server's directory of published rooms.</summary>
sealed class PublicRooms(RoomSummaryStore summaries, ServerSigningKey own)
{
    const int MostRooms = 500;

    /// <param name="server">Another server's directory is asked for by its name.</param>
    public async Task<PublicRoomsPage> Read(
        string? search, IReadOnlyList<string?>? roomTypes, int? limit, string? since, string? server, CancellationToken ct)
    {
        if (server is not null && server != own.ServerName.ToString())
            throw new MatrixException(502, "M_UNKNOWN", "The directories of other servers cannot be asked for yet.");
        if (limit is < 0)
            throw MatrixException.InvalidParam("limit must not be negative.");
        var (from, backwards) = ParseToken(since);
        var wanted = Math.Min(limit is null or 0 ? 100 : limit.Value, MostRooms);
        // one more than wanted shows whether there is a next page
        var found = (await summaries.ListPublished(new PublicRoomsQuery(search, roomTypes, from, backwards, wanted + 1), ct)).ToList();
        var more = found.Count > wanted;
        if (more)
            found.RemoveAt(wanted);
        if (backwards)
            found.Reverse();
        var hasNext = backwards ? found.Count > 0 : more;
        var hasPrevious = backwards ? more : from is not null && found.Count > 0;
        return new PublicRoomsPage([.. found.Select(Show)], hasNext ? Token('n', found[^1]) : null, hasPrevious ? Token('p', found[0]) : null,
            await summaries.CountPublished(ct));
    }

    static PublicRoomChunk Show(PublicRoom room) => new(room.RoomId, room.JoinedCount, room.HistoryVisibility == "world_readable",
        room.GuestAccess == "can_join", room.Name, room.Topic, room.CanonicalAlias, room.AvatarUrl, room.JoinRule, room.RoomType);

    /// <summary>n or p for the direction, then the place that the page begins after.</summary>
    static string Token(char direction, PublicRoom room) => string.Create(CultureInfo.InvariantCulture, $"{direction}{room.JoinedCount}_{room.RoomNid}");

    static (PublicRoomsPlace? From, bool Backwards) ParseToken(string? token)
    {
        if (string.IsNullOrEmpty(token))
            return (null, false);
        var parts = token[1..].Split('_');
        if (token[0] is 'n' or 'p' && parts.Length == 2
            && int.TryParse(parts[0], CultureInfo.InvariantCulture, out var joined) && long.TryParse(parts[1], CultureInfo.InvariantCulture, out var nid))
            return (new PublicRoomsPlace(joined, nid), token[0] == 'p');
        throw MatrixException.InvalidParam("since is not a token of this list.");
    }
}

sealed record PublicRoomsPage(IReadOnlyList<PublicRoomChunk> Chunk, string? NextBatch, string? PrevBatch, int TotalRoomCountEstimate);

sealed record PublicRoomChunk(string RoomId, int NumJoinedMembers, bool WorldReadable, bool GuestCanJoin, string? Name, string? Topic,
    string? CanonicalAlias, string? AvatarUrl, string? JoinRule, string? RoomType);
