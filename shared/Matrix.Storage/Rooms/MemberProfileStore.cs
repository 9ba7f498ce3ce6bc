using Matrix.Protocol;
using Npgsql;

namespace Matrix.Storage.Rooms;

/// <summary>What a member event shows of a local user.</summary>
public sealed record MemberProfile(string UserId, string? DisplayName, string? AvatarUrl);

/// <summary>Profiles of local users, for the member events that show them.</summary>
public sealed class MemberProfileStore(NpgsqlDataSource db)
{
    /// <summary>The profiles of those of the users who have accounts here, by user id. Served by the primary key of users.</summary>
    public async Task<Dictionary<string, MemberProfile>> List(IEnumerable<UserId> userIds, CancellationToken ct)
    {
        var rows = await db.List<MemberProfile>(
            """
            SELECT user_id, display_name, avatar_url FROM users
            WHERE user_id = ANY(@userIds)
            """, new { userIds = userIds.Select(u => u.ToString()).ToArray() }, ct);
        return rows.ToDictionary(p => p.UserId);
    }
}
