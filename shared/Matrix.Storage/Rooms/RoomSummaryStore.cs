using Npgsql;

namespace Matrix.Storage.Rooms;

/// <summary>What lists of rooms show of one.</summary>
public sealed record RoomSummary(
    long RoomNid, bool Published, int JoinedCount, int InvitedCount, string? Name, string? Topic, string? AvatarUrl, string? CanonicalAlias,
    string? JoinRule, string? GuestAccess, string? HistoryVisibility, string? Encryption, string? RoomType);

/// <summary>Which published rooms are asked for, and from where on.</summary>
/// <param name="Search">Matched against name, topic and canonical alias, without regard to case; null: all.</param>
/// <param name="RoomTypes">Null: all; a null in the list stands for rooms without a type.</param>
/// <param name="From">The last room of the page before: the list goes on after it in the given direction.</param>
public sealed record PublicRoomsQuery(
    string? Search, IReadOnlyList<string?>? RoomTypes, PublicRoomsPlace? From, bool Backwards, int Limit);

/// <summary>A place in the list of published rooms, which has the biggest rooms first.</summary>
public readonly record struct PublicRoomsPlace(int JoinedCount, long RoomNid);

/// <summary>Room summaries, kept with the log entry that changes them, and the directory of published rooms.</summary>
public sealed class RoomSummaryStore(NpgsqlDataSource db)
{
    const string Columns =
        """
        s.room_nid, s.published, s.joined_count, s.invited_count, s.name, s.topic, s.avatar_url, s.canonical_alias, s.join_rule, s.guest_access,
            s.history_visibility, s.encryption, s.room_type
        """;

    public Task<IReadOnlyList<RoomSummary>> List(IReadOnlyCollection<long> roomNids, CancellationToken ct) => db.List<RoomSummary>(
        $"""
        SELECT {Columns} FROM room_summaries s
        WHERE s.room_nid = ANY(@roomNids)
        """, new { roomNids = roomNids.ToArray() }, ct);

    public async Task<RoomSummary?> Find(long roomNid, CancellationToken ct) => (await List([roomNid], ct)) is [var summary] ? summary : null;

    public Task SetPublished(long roomNid, bool published, CancellationToken ct) => db.Execute(
        "UPDATE room_summaries SET published = @published WHERE room_nid = @roomNid", new { roomNid, published }, ct);

    /// <summary>A page of the directory, biggest rooms first. Without a search it is served by room_summaries_published.</summary>
    public Task<IReadOnlyList<PublicRoom>> ListPublished(PublicRoomsQuery query, CancellationToken ct) => db.List<PublicRoom>(
        $"""
        SELECT r.room_id, {Columns} FROM room_summaries s JOIN rooms r USING (room_nid)
        WHERE s.published {Filter}
            AND (@joined::int IS NULL OR {(query.Backwards
                ? "s.joined_count > @joined OR s.joined_count = @joined AND s.room_nid < @nid"
                : "s.joined_count < @joined OR s.joined_count = @joined AND s.room_nid > @nid")})
        ORDER BY {(query.Backwards ? "s.joined_count, s.room_nid DESC" : "s.joined_count DESC, s.room_nid")}
        LIMIT @limit
        """, new
        {
            search = Pattern(query.Search),
            types = query.RoomTypes?.Select(t => t ?? "").ToArray(),
            joined = query.From?.JoinedCount,
            nid = query.From?.RoomNid,
            limit = query.Limit,
        }, ct);

    /// <summary>How many published rooms there are.</summary>
    public Task<int> CountPublished(CancellationToken ct) =>
        db.GetOne<int>("SELECT count(*)::int FROM room_summaries WHERE published", null, ct);

    const string Filter =
        """
        AND (@search::text IS NULL OR s.name ILIKE @search OR s.topic ILIKE @search OR s.canonical_alias ILIKE @search)
            AND (@types::text[] IS NULL OR coalesce(s.room_type, '') = ANY(@types))
        """;

    static string? Pattern(string? search) => string.IsNullOrEmpty(search)
        ? null
        : "%" + search.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("%", @"\%", StringComparison.Ordinal)
            .Replace("_", @"\_", StringComparison.Ordinal) + "%";
}

/// <summary>A published room.</summary>
public sealed record PublicRoom(
    string RoomId, long RoomNid, bool Published, int JoinedCount, int InvitedCount, string? Name, string? Topic, string? AvatarUrl,
    string? CanonicalAlias, string? JoinRule, string? GuestAccess, string? HistoryVisibility, string? Encryption, string? RoomType);
