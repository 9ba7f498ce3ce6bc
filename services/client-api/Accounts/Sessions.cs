using System.Security.Cryptography;
using System.Text.Json.Serialization;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Storage;
using Npgsql;

namespace Matrix.ClientApi.Accounts;

/// <summary>Begins and refreshes sessions: makes the tokens, whose hashes alone are stored.</summary>
sealed class Sessions(SessionStore store, LogWriter log, SessionEnding ending, AccountOptions options, TimeProvider time)
{
    /// <summary>Of a device's display name, in characters.</summary>
    public const int LongestName = 100;

    /// <summary>Begins the first session of a new account in the caller's transaction. The tokens are good once that is committed.</summary>
    public async Task<Tokens> Start(DatabaseTransaction tx, UserId userId, NewDevice device, CancellationToken ct)
    {
        var (tokens, add) = Prepare(userId, device);
        await tx.Execute(add, ct);
        return tokens;
    }

    /// <summary>Begins a session; what there was on the device ends. Null when the password is another one meanwhile, or the account closed.</summary>
    public async Task<Tokens?> Start(Account account, NewDevice device, CancellationToken ct)
    {
        var (tokens, add) = Prepare(account.UserId, device);
        var change = new SessionsChange(account.UserId, batch =>
        {
            AccountStore.AddPasswordCheck(batch, account.UserId, account.PasswordHash);
            add(batch);
        }, ofDevices: device.DeviceId is null);
        // nothing ends on a device that is new
        return await Try(device.DeviceId is null ? log.Append(change, ct) : ending.Append(change, ct)) ? tokens : null;
    }

    /// <summary>Exchanges a refresh token; null when it is not good, any more or at all.</summary>
    public async Task<Tokens?> Refresh(string refreshToken, CancellationToken ct)
    {
        var hash = SecretToken.Hash(refreshToken);
        if (await store.FindRefreshable(hash, ct) is not { } session || session.ExpiresAt <= time.GetUtcNow()) return null;
        if (session.IsLocked) throw MatrixException.UserLocked();
        var tokens = Issue(refreshable: true, out var pair);
        var change = new SessionsChange(session.UserId, batch => SessionStore.AddExchange(batch, hash, session, pair));
        return await Try(ending.Append(change, ct)) ? tokens : null;
    }

    static async Task<bool> Try(Task<LogPosition> appending)
    {
        try
        {
            await appending;
            return true;
        }
        catch (ChangeRefusedException)
        {
            return false;
        }
    }

    (Tokens Tokens, Action<NpgsqlBatch> Add) Prepare(UserId userId, NewDevice device)
    {
        var deviceId = device.DeviceId ?? NewDeviceId();
        var tokens = Issue(device.Refreshable, out var pair);
        return (tokens with { DeviceId = deviceId },
            batch => SessionStore.AddStart(batch, userId, deviceId, Shorten(device.DisplayName), device.Ip, pair));
    }

    Tokens Issue(bool refreshable, out TokenPair pair)
    {
        var now = time.GetUtcNow();
        var access = SecretToken.Generate();
        var refresh = refreshable ? SecretToken.Generate() : null;
        var lifetime = refreshable ? options.RefreshableAccessTokenLifetime : options.SessionLifetime;
        pair = new TokenPair(
            SecretToken.Hash(access), now + lifetime,
            refresh is null ? null : SecretToken.Hash(refresh), refresh is null ? null : now + options.RefreshTokenLifetime);
        return new Tokens(access, refresh, (long?)lifetime?.TotalMilliseconds);
    }

    // a client that calls its device by a long name is let in all the same
    static string? Shorten(string? name) =>
        name is { Length: > LongestName } ? name[..(LongestName - (char.IsHighSurrogate(name[LongestName - 1]) ? 1 : 0))] : name;

    static DeviceId NewDeviceId() => DeviceId.Parse(RandomNumberGenerator.GetString("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 10));
}

/// <summary>What a client says of its device when it registers or logs in.</summary>
/// <param name="DeviceId">Null: a new one is made up.</param>
/// <param name="DisplayName">For a new device only.</param>
sealed record NewDevice(DeviceId? DeviceId, string? DisplayName, bool Refreshable, string? Ip);

/// <summary>The tokens of a session as the client gets them.</summary>
sealed record Tokens(string AccessToken, string? RefreshToken, long? ExpiresInMs)
{
    [JsonIgnore] public DeviceId DeviceId { get; init; }
}
