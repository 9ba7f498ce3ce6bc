using System.Globalization;
using System.Text.Json;
using Matrix.Federation;
using Matrix.Protocol;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Directories;

/// <summary>Pages of directories of published rooms: this server's own, and those of others.</summary>
public sealed class PublicRooms(RoomSummaryStore summaries, FederationClient client, ServerSigningKey own)
{
    const int MostRooms = 500;

    /// <summary>What another server answers is passed on as far as it is what it should be.</summary>
    /// <param name="server">Null: this one.</param>
    /// <exception cref="RoomException">400: a parameter is wrong.</exception>
    /// <exception cref="FederationException">The other server does not answer.</exception>
    public async Task<PublicRoomsPage> Read(
        string? search, IReadOnlyList<string?>? roomTypes, int? limit, string? since, string? server, CancellationToken ct)
    {
        if (server is null || server == own.ServerName.ToString())
            return await Read(search, roomTypes, limit, since, ct);
        if (!ServerName.TryParse(server, out var other))
            throw RoomException.Invalid("server is no name of a server.");
        var filter = new { generic_search_term = search, room_types = roomTypes };
        var body = JsonSerializer.SerializeToUtf8Bytes(new { limit = Math.Min(limit ?? 100, MostRooms), since, filter }, FederationJson.Options);
        return await client.Post<PublicRoomsPage>(other, "/_matrix/federation/v1/publicRooms", body, ct);
    }

    /// <summary>This server's own.</summary>
    public async Task<PublicRoomsPage> Read(string? search, IReadOnlyList<string?>? roomTypes, int? limit, string? since, CancellationToken ct)
    {
        if (limit is < 0)
            throw RoomException.Invalid("limit must not be negative.");
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
        throw RoomException.Invalid("since is not a token of this list.");
    }
}

/// <summary>A page of the directory (C-S API, GET /publicRooms); a batch is null where there is nothing more that way.</summary>
public sealed record PublicRoomsPage(IReadOnlyList<PublicRoomChunk> Chunk, string? NextBatch, string? PrevBatch, int? TotalRoomCountEstimate);

/// <summary>A room as the directory shows it.</summary>
public sealed record PublicRoomChunk(string RoomId, int NumJoinedMembers, bool WorldReadable, bool GuestCanJoin, string? Name, string? Topic,
    string? CanonicalAlias, string? AvatarUrl, string? JoinRule, string? RoomType);
