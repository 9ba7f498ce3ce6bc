using Matrix.Protocol;
using Npgsql;

namespace Matrix.Storage;

/// <summary>A local account. <c>PasswordHash</c> is bcrypt, or null where no password opens the account.</summary>
public sealed record Account(
    UserId UserId, string? PasswordHash, bool IsAdmin, bool IsGuest, DateTimeOffset? DeactivatedAt, string? DisplayName, string? AvatarUrl,
    bool IsLocked = false, bool IsSuspended = false);

/// <summary>An account to be made.</summary>
public sealed record NewAccount(UserId UserId, string? PasswordHash, bool IsAdmin = false, bool IsGuest = false, string? UserType = null);

/// <summary>The local accounts.</summary>
public sealed class AccountStore(NpgsqlDataSource db)
{
    const string Columns = "user_id, password_hash, is_admin, is_guest, deactivated_at, display_name, avatar_url, is_locked, is_suspended";

    public Task<Account?> Find(UserId userId, CancellationToken ct) =>
        db.FindOne<Account>($"SELECT {Columns} FROM users WHERE user_id = @userId", new { userId }, ct);

    /// <summary>The account with this localpart whatever its case: no two accounts differ in case alone.</summary>
    public Task<Account?> FindByLocalpart(string localpart, CancellationToken ct) =>
        db.FindOne<Account>($"SELECT {Columns} FROM users WHERE localpart_ci = @key", new { key = CaseKey(localpart) }, ct);

    public async Task<bool> IsTaken(string localpart, CancellationToken ct) =>
        await db.FindOne<int?>("SELECT 1 FROM users WHERE localpart_ci = @key", new { key = CaseKey(localpart) }, ct) is not null;

    /// <summary>Makes an account; false when the name is taken. A name once used stays taken, also after deactivation.</summary>
    /// <param name="displayName">Null: the localpart; a guest has none.</param>
    public async Task<bool> Insert(DatabaseTransaction tx, NewAccount account, string? displayName, CancellationToken ct) =>
        await tx.Execute(
            """
            INSERT INTO users (user_id, localpart_ci, password_hash, is_admin, is_guest, user_type, display_name)
            VALUES (@UserId, @key, @PasswordHash, @IsAdmin, @IsGuest, @UserType, @displayName)
            ON CONFLICT DO NOTHING
            """,
            new
            {
                account.UserId, account.PasswordHash, account.IsAdmin, account.IsGuest, account.UserType,
                key = CaseKey(account.UserId.Localpart), displayName = account.IsGuest ? null : displayName ?? account.UserId.Localpart,
            }, ct) == 1;

    /// <summary>
    /// Fails unless the account is still open with this password: a session begun with a password cannot outlive a change of it that was
    /// committed while the password was being checked, since both are changes of the log.
    /// </summary>
    public static void AddPasswordCheck(NpgsqlBatch batch, UserId userId, string? passwordHash) => batch.Add(
        """
        SELECT refuse_unless(EXISTS (
            SELECT 1 FROM users WHERE user_id = $1 AND password_hash IS NOT DISTINCT FROM $2::text AND deactivated_at IS NULL), 'password')
        """, userId, passwordHash);

    public static void AddPassword(NpgsqlBatch batch, UserId userId, string passwordHash) =>
        batch.Add("UPDATE users SET password_hash = $2 WHERE user_id = $1 AND deactivated_at IS NULL", userId, passwordHash);

    /// <summary>
    /// Closes an account for good, and notes that it has to leave its rooms (<see cref="RoomUpdateStore"/>). Its devices go with their tokens;
    /// <paramref name="erase"/> takes the user's own data too.
    /// </summary>
    public static void AddDeactivation(NpgsqlBatch batch, UserId userId, bool erase)
    {
        batch.Add(
            """
            UPDATE users SET password_hash = NULL, deactivated_at = coalesce(deactivated_at, now()), erased = erased OR $2
            WHERE user_id = $1
            """, userId, erase);
        RoomUpdateStore.AddMark(batch, userId);
        DeviceStore.AddDelete(batch, userId, deviceIds: null);
        batch.Add("DELETE FROM filters WHERE user_id = $1", userId);
        if (!erase)
            return;
        batch.Add("UPDATE users SET display_name = NULL, avatar_url = NULL WHERE user_id = $1", userId);
        batch.Add("DELETE FROM profile_fields WHERE user_id = $1", userId);
        batch.Add("DELETE FROM account_data WHERE user_id = $1", userId);
        batch.Add("DELETE FROM thread_subscriptions WHERE user_id = $1", userId);
    }

    /// <summary>A guest becomes an ordinary account of the same id: what its sessions may do changes, so it is a change of sessions.</summary>
    public static void AddUpgrade(NpgsqlBatch batch, UserId userId, string passwordHash) => batch.Add(
        "UPDATE users SET is_guest = false, password_hash = $2, display_name = coalesce(display_name, $3) WHERE user_id = $1 AND is_guest",
        userId, passwordHash, userId.Localpart);

    /// <summary>Locks or unlocks an account: what its sessions may do changes, so it is a change of sessions.</summary>
    public static void AddLocked(NpgsqlBatch batch, UserId userId, bool isLocked) =>
        batch.Add("UPDATE users SET is_locked = $2 WHERE user_id = $1", userId, isLocked);

    /// <summary>Suspends an account or ends that: a change of sessions too.</summary>
    public static void AddSuspended(NpgsqlBatch batch, UserId userId, bool isSuspended) =>
        batch.Add("UPDATE users SET is_suspended = $2 WHERE user_id = $1", userId, isSuspended);

    /// <summary>Those of the users who asked for erasure.</summary>
    public Task<IReadOnlyList<string>> ListErased(IReadOnlyCollection<string> userIds, CancellationToken ct) =>
        db.List<string>("SELECT user_id FROM users WHERE user_id = ANY(@ids) AND erased", new { ids = userIds.ToArray() }, ct);

    static string CaseKey(string localpart) => localpart.ToLowerInvariant();
}
