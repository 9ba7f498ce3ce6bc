using Matrix.Protocol;
using Npgsql;

namespace Matrix.Storage;

/// <summary>One field of a profile; <c>Value</c> is JSON.</summary>
public sealed record ProfileField(string Field, string Value);

/// <summary>Name, avatar and other fields of local users' profiles.</summary>
public sealed class ProfileStore(NpgsqlDataSource db)
{
    /// <summary>The fields that are set, the name and avatar among them; null when there is no such user.</summary>
    public async Task<IReadOnlyList<ProfileField>?> Find(UserId userId, CancellationToken ct)
    {
        var rows = await db.List<ProfileField>(
            """
            SELECT '' AS field, '' AS value FROM users WHERE user_id = @userId
            UNION ALL SELECT 'displayname', to_json(display_name)::text FROM users WHERE user_id = @userId AND display_name IS NOT NULL
            UNION ALL SELECT 'avatar_url', to_json(avatar_url)::text FROM users WHERE user_id = @userId AND avatar_url IS NOT NULL
            UNION ALL SELECT field, value FROM profile_fields WHERE user_id = @userId
            """, new { userId }, ct);
        return rows.Count == 0 ? null : [.. rows.Where(row => row.Field.Length > 0)];
    }

    /// <summary>Sets the name, and notes that the rooms have to show it (<see cref="RoomUpdateStore"/>).</summary>
    public Task<int> SetDisplayName(UserId userId, string? displayName, CancellationToken ct) => db.Execute(
        $"UPDATE users SET display_name = @displayName WHERE user_id = @userId; {RoomUpdateStore.MarkSql}", new { userId, displayName }, ct);

    /// <summary>Sets the picture, and notes that the rooms have to show it (<see cref="RoomUpdateStore"/>).</summary>
    public Task<int> SetAvatarUrl(UserId userId, string? avatarUrl, CancellationToken ct) => db.Execute(
        $"UPDATE users SET avatar_url = @avatarUrl WHERE user_id = @userId; {RoomUpdateStore.MarkSql}", new { userId, avatarUrl }, ct);

    public Task<int> Upsert(UserId userId, string field, string value, CancellationToken ct) => db.Execute(
        """
        INSERT INTO profile_fields (user_id, field, value) VALUES (@userId, @field, @value)
        ON CONFLICT (user_id, field) DO UPDATE SET value = excluded.value
        """, new { userId, field, value }, ct);

    public Task<int> Delete(UserId userId, string field, CancellationToken ct) =>
        db.Execute("DELETE FROM profile_fields WHERE user_id = @userId AND field = @field", new { userId, field }, ct);
}
