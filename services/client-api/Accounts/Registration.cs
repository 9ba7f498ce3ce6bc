using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage;
using Npgsql;

namespace Matrix.ClientApi.Accounts;

/// <summary>Makes accounts, each with its first session, in one transaction.</summary>
sealed class Registration(
    NpgsqlDataSource db, AccountStore accounts, RegistrationStore tokens, UiaSessionStore uiaSessions, Sessions sessions, Passwords passwords,
    SessionEnding ending, Usernames usernames, AccountOptions options)
{
    /// <summary>Makes the account that the completed <paramref name="session"/> allows; the registration token that it holds is spent.</summary>
    /// <param name="device">Null: no session is begun.</param>
    public async Task<Registered> Register(UserId userId, string password, NewDevice? device, UiaSession session, CancellationToken ct)
    {
        passwords.MustBeGood(password);
        var account = new NewAccount(userId, await passwords.Hash(password, ct));
        await using var tx = await db.BeginTransaction(ct);
        await Spend(tx, session, ct);
        return await Finish(tx, account, displayName: null, device, ct);
    }

    /// <summary>Makes a guest an ordinary user (Client-Server API, Guest access): rooms and devices stay.</summary>
    public async Task<Registered> UpgradeGuest(UserId guest, string password, NewDevice? device, UiaSession session, CancellationToken ct)
    {
        passwords.MustBeGood(password);
        var hash = await passwords.Hash(password, ct);
        await using (var tx = await db.BeginTransaction(ct))
        {
            await Spend(tx, session, ct);
            await tx.CommitAsync(ct);
        }
        await ending.Append(new SessionsChange(guest, batch => AccountStore.AddUpgrade(batch, guest, hash)), ct);
        var account = await accounts.Find(guest, ct);
        var tokens = device is null || account is null ? null : await sessions.Start(account, device, ct);
        return new Registered(guest, tokens?.DeviceId, tokens?.AccessToken, tokens?.RefreshToken, tokens?.ExpiresInMs, guest.Server);
    }

    /// <summary>Makes an account that an administrator asked for.</summary>
    public async Task<Registered> RegisterFor(NewAccount account, string? displayName, NewDevice? device, CancellationToken ct)
    {
        await using var tx = await db.BeginTransaction(ct);
        return await Finish(tx, account, displayName, device, ct);
    }

    public async Task<Registered> RegisterGuest(string? deviceDisplayName, string? ip, CancellationToken ct)
    {
        if (!options.AllowGuestAccess) throw new MatrixException(403, "M_GUEST_ACCESS_FORBIDDEN", "This server does not accept guests.");
        await using var tx = await db.BeginTransaction(ct);
        var guest = new NewAccount(usernames.Random("guest-"), null, IsGuest: true);
        return await Finish(tx, guest, displayName: null, new NewDevice(null, deviceDisplayName, false, ip), ct);
    }

    async Task Spend(DatabaseTransaction tx, UiaSession session, CancellationToken ct)
    {
        if (!await uiaSessions.Delete(tx, session.SessionId, ct)) throw MatrixException.Forbidden("This authentication session was used.");
        if (session.RegistrationToken is { } token && !await tokens.SpendToken(tx, token, ct))
            throw MatrixException.Forbidden("The registration token was withdrawn.");
    }

    async Task<Registered> Finish(DatabaseTransaction tx, NewAccount account, string? displayName, NewDevice? device, CancellationToken ct)
    {
        if (!await accounts.Insert(tx, account, displayName, ct)) throw Usernames.InUse();
        var tokens = device is null ? null : await sessions.Start(tx, account.UserId, device, ct);
        await tx.CommitAsync(ct);
        return new Registered(
            account.UserId, tokens?.DeviceId, tokens?.AccessToken, tokens?.RefreshToken, tokens?.ExpiresInMs, account.UserId.Server);
    }
}

/// <summary>A new account; without device and tokens when the login was inhibited.</summary>
sealed record Registered(
    UserId UserId, DeviceId? DeviceId, string? AccessToken, string? RefreshToken, long? ExpiresInMs, ServerName HomeServer);
