using System.Text.Json;
using Matrix.ClientApi.Accounts;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Storage;

namespace Matrix.ClientApi.Keys;

/// <summary>Takes a user's cross-signing keys (Client-Server API, "Cross-signing").</summary>
sealed class CrossSigning(
    PublishedKeyCache published, UserInteractive uia, UiaSessionStore proofs, LogWriter log, LogFollower follower)
{
    public async Task<IResult> Upload(Requester requester, AuthData? auth, JsonElement? master, JsonElement? selfSigning, JsonElement? userSigning, CancellationToken ct)
    {
        requester.MustNotBeGuest();
        var userId = requester.UserId.ToString();
        List<NewCrossSigningKey> keys = [.. new[] { Read("master", master, userId), Read("self_signing", selfSigning, userId), Read("user_signing", userSigning, userId) }
            .OfType<NewCrossSigningKey>()];
        await published.CatchUp(ct);
        var stored = await published.Get(userId, ct);
        var masterKey = keys.Find(key => key.Usage == "master")?.PublicKey ?? (stored.Master is { } old ? KeyWriter.PublicKey(old.Keys) : null)
            ?? throw MatrixException.MissingParam("master_key");
        MustBeGood(keys, userId, masterKey, stored);
        if (keys.All(key => Find(stored, key.Usage) is { } known && KeyWriter.PublicKey(known.Keys) == key.PublicKey))
            return Empty.Result;
        if (stored.Master is not null && await Authorize(userId, requester.UserId, auth, ct) is { } challenge)
            return challenge;
        var replaces = stored.Master is not null && KeyWriter.PublicKey(stored.Master.Keys) != masterKey;
        await follower.WaitFor(await log.Append(new CrossSigningUploaded(userId, keys, replaces), ct), ct);
        return Empty.Result;
    }

    // What is already there is no proof against somebody at an open screen; the first keys need none (since v1.11).
    async Task<IResult?> Authorize(string userId, UserId user, AuthData? auth, CancellationToken ct)
    {
        var outcome = await uia.Authorize($"cross-signing {userId}", auth, [new UiaFlow(UiaStages.Password)], user, ct);
        if (outcome.Challenge is not null)
            return outcome.Refusal;
        if (!await proofs.Delete(outcome.Session.SessionId, ct))
            throw MatrixException.Forbidden("This authentication session was used.");
        return null;
    }

    static NewCrossSigningKey? Read(string usage, JsonElement? json, string userId)
    {
        if (json is not { ValueKind: not JsonValueKind.Null } given)
            return null;
        var name = $"{usage}_key";
        var key = SignedObject.Read(given, name);
        if (key.String("user_id") != userId)
            throw MatrixException.InvalidParam($"{name} must be of the user who uploads it.");
        if (!given.TryGetProperty("usage", out var usages) || usages.ValueKind != JsonValueKind.Array
            || !usages.EnumerateArray().Any(u => u.ValueKind == JsonValueKind.String && u.ValueEquals(usage)))
            throw MatrixException.InvalidParam($"{name}.usage must have {usage}.");
        if (!given.TryGetProperty("keys", out var keys) || keys.ValueKind != JsonValueKind.Object || keys.EnumerateObject().Count() != 1)
            throw MatrixException.InvalidParam($"{name}.keys must have one key.");
        var only = keys.EnumerateObject().First();
        if (only.Value.ValueKind != JsonValueKind.String || only.Value.GetString() is not { } publicKey || !SignedObject.IsText(publicKey)
            || only.Name != $"ed25519:{publicKey}" || VerifyKey.TryParse(publicKey) is null)
            throw MatrixException.InvalidParam($"{name}.keys must have an ed25519 key by its own name.");
        return new NewCrossSigningKey(usage, publicKey, key);
    }

    static void MustBeGood(List<NewCrossSigningKey> keys, string userId, string masterKey, UserKeys stored)
    {
        foreach (var key in keys)
        {
            if (stored.Devices.Any(device => device.DeviceId == key.PublicKey))
                throw MatrixException.Forbidden("A device has the id that is the name of this key.");
            if (key.Usage != "master" && !key.Object.IsSignedBy(userId, id => id.Version == masterKey ? VerifyKey.TryParse(masterKey) : null))
                throw new MatrixException(400, "M_INVALID_SIGNATURE", $"{key.Usage}_key is not signed by the master key.");
        }
    }

    static CrossSigningKey? Find(UserKeys keys, string usage) => usage switch
    {
        "master" => keys.Master,
        "self_signing" => keys.SelfSigning,
        _ => keys.UserSigning,
    };
}
