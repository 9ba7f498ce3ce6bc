using Matrix.Protocol;
using Npgsql;

namespace Matrix.Storage;

/// <summary>A piece of account data. <c>RoomId</c> is empty for what is global; <c>Content</c> is a JSON object; <c>Position</c> is where it was set.</summary>
public sealed record AccountDataItem(string RoomId, string Type, string Content, long Position);

/// <summary>Global account data of one of several users.</summary>
public sealed record UserAccountData(string UserId, string Type, string Content);

/// <summary>A user's push rules as they were stored at a position of the log.</summary>
public sealed record StoredPushRules(string Content, long Position);

/// <summary>Reads account data. It is written through the log.</summary>
public sealed class AccountDataStore(NpgsqlDataSource db)
{
    public Task<string?> FindGlobal(UserId userId, string type, CancellationToken ct) => FindOne(userId, "", type, ct);

    public Task<string?> FindForRoom(UserId userId, RoomId roomId, string type, CancellationToken ct) => FindOne(userId, roomId.ToString(), type, ct);

    /// <summary>The push rules that a user changed; null when the defaults are as they were.</summary>
    public Task<StoredPushRules?> FindPushRules(UserId userId, CancellationToken ct) => db.FindOne<StoredPushRules>(
        "SELECT content, position FROM account_data WHERE user_id = @userId AND room_id = '' AND type = 'm.push_rules'", new { userId }, ct);

    /// <summary>What changed above <paramref name="after"/> and not above <paramref name="upTo"/>, by the index on (user_id, position).
    /// Deleted data has the content <c>{}</c>.</summary>
    public Task<IReadOnlyList<AccountDataItem>> List(UserId userId, long after, long upTo, CancellationToken ct) => db.List<AccountDataItem>(
        """
        SELECT room_id, type, content, position FROM account_data
        WHERE user_id = @userId AND position > @after AND position <= @upTo
        ORDER BY position
        """, new { userId, after, upTo }, ct);

    /// <summary>Global data of these types of several users, by primary key.</summary>
    public Task<IReadOnlyList<UserAccountData>> ListGlobal(IReadOnlyCollection<UserId> users, IReadOnlyList<string> types, CancellationToken ct) =>
        db.List<UserAccountData>(
            "SELECT user_id, type, content FROM account_data WHERE user_id = ANY(@ids) AND room_id = '' AND type = ANY(@types)",
            new { ids = users.Select(user => user.ToString()).ToArray(), types = types.ToArray() }, ct);

    Task<string?> FindOne(UserId userId, string roomId, string type, CancellationToken ct) => db.FindOne<string>(
        "SELECT content FROM account_data WHERE user_id = @userId AND room_id = @roomId AND type = @type", new { userId, roomId, type }, ct);
}
