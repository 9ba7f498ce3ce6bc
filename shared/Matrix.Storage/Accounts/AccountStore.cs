using Matrix.Protocol;
using Npgsql;

namespace Matrix.Storage;

/// <summary>A local account. <c>PasswordHash</c> is bcrypt, or null where no password opens the account.</summary>
public sealed record Account(
    UserId UserId, string? PasswordHash, bool IsAdmin, bool IsGuest, DateTimeOffset? DeactivatedAt, string? DisplayName, string? AvatarUrl);

/// <summary>An account to be made.</summary>
public sealed record NewAccount(UserId UserId, string? PasswordHash, bool IsAdmin = false, bool IsGuest = false, string? UserType = null);

/// <summary>The local accounts.</summary>
public sealed class AccountStore(NpgsqlDataSource db)
{
    const string Columns = "user_id, password_hash, is_admin, is_guest, deactivated_at, display_name, avatar_url";

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
    /// Whether the account is still open with this password, and keeps it so until the transaction ends: a session begun with a
    /// password cannot outlive a change of it that was committed while the password was being checked.
    /// </summary>
    public async Task<bool> HoldPassword(DatabaseTransaction tx, UserId userId, string? passwordHash, CancellationToken ct) =>
        await tx.FindOne<int?>(
            """
            SELECT 1 FROM users
            WHERE user_id = @userId AND password_hash IS NOT DISTINCT FROM @passwordHash::text AND deactivated_at IS NULL
            FOR SHARE
            """, new { userId, passwordHash }, ct) is not null;

    public Task<int> SetPassword(DatabaseTransaction tx, UserId userId, string passwordHash, CancellationToken ct) => tx.Execute(
        "UPDATE users SET password_hash = @passwordHash WHERE user_id = @userId AND deactivated_at IS NULL", new { userId, passwordHash }, ct);

    /// <summary>Closes an account for good, and notes that it has to leave its rooms (<see cref="RoomUpdateStore"/>). Its devices go with their tokens; <paramref name="erase"/> takes the user's own data too.</summary>
    public async Task Deactivate(DatabaseTransaction tx, UserId userId, bool erase, CancellationToken ct)
    {
        await tx.Execute(
            """
            UPDATE users SET password_hash = NULL, deactivated_at = coalesce(deactivated_at, now()), erased = erased OR @erase
            WHERE user_id = @userId
            """, new { userId, erase }, ct);
        await tx.Execute(RoomUpdateStore.MarkSql, new { userId }, ct);
        await tx.Execute("DELETE FROM devices WHERE user_id = @userId", new { userId }, ct);
        await tx.Execute("DELETE FROM filters WHERE user_id = @userId", new { userId }, ct);
        if (!erase)
            return;
        await tx.Execute("UPDATE users SET display_name = NULL, avatar_url = NULL WHERE user_id = @userId", new { userId }, ct);
        await tx.Execute("DELETE FROM profile_fields WHERE user_id = @userId", new { userId }, ct);
        await tx.Execute("DELETE FROM account_data WHERE user_id = @userId", new { userId }, ct);
    }

    static string CaseKey(string localpart) => localpart.ToLowerInvariant();
}
