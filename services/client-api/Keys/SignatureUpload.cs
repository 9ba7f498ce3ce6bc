using System.Text.Json;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Replication;

namespace Matrix.ClientApi.Keys;

/// <summary>Why a signature was not taken.</summary>
sealed record SignatureRefusal(string Errcode, string Error);

/// <summary>
/// Takes signatures: of a user's own devices by the self-signing key, of the own master key by a device, of others' master keys by the
/// user-signing key (Client-Server API, "Cross-signing"). Each is verified.
/// </summary>
sealed class SignatureUpload(PublishedKeyCache published, RemoteKeys others, LogWriter log, LogFollower follower)
{
    const int MostKeys = 1000;

    /// <returns>By user, by key: what was refused.</returns>
    public async Task<Dictionary<string, Dictionary<string, SignatureRefusal>>> Upload(Requester requester, JsonElement body, CancellationToken ct)
    {
        requester.MustNotBeGuest();
        var userId = requester.UserId.ToString();
        var wanted = Read(body);
        await published.CatchUp(ct);
        UserId[] targets = [.. wanted.Select(w => UserId.TryParse(w.Target, out var target) ? target : requester.UserId).Append(requester.UserId).Distinct()];
        var known = await published.Get([.. targets.Where(target => target.Server == requester.UserId.Server).Select(target => target.ToString())], ct);
        var remote = await others.Query(requester.UserId, [.. targets.Where(target => target.Server != requester.UserId.Server)], null, new HashSet<string>(), ct);
        var good = new List<NewSignatures>();
        var failures = new Dictionary<string, Dictionary<string, SignatureRefusal>>(StringComparer.Ordinal);
        foreach (var (target, key, signed) in wanted)
        {
            var (signatures, refusal) = target == userId
                ? CheckOwn(userId, key, signed, known[userId])
                : CheckOther(userId, target, key, signed, known[userId], known.GetValueOrDefault(target) ?? remote.GetValueOrDefault(target) ?? UserKeys.None);
            if (signatures is not null)
                good.Add(signatures);
            else if (failures.TryGetValue(target, out var ofUser))
                ofUser[key] = refusal!;
            else
                failures[target] = new(StringComparer.Ordinal) { [key] = refusal! };
        }
        if (good.Count > 0)
            await follower.WaitFor(await log.Append(new SignaturesUploaded(userId, good), ct), ct);
        return failures;
    }

    static List<(string Target, string Key, SignedObject Signed)> Read(JsonElement body)
    {
        var wanted = new List<(string, string, SignedObject)>();
        foreach (var user in body.EnumerateObject())
        {
            if (user.Value.ValueKind != JsonValueKind.Object)
                throw MatrixException.BadJson("The body must have an object for each user.");
            foreach (var key in user.Value.EnumerateObject())
                wanted.Add((user.Name, key.Name, SignedObject.Read(key.Value, key.Name)));
        }
        return wanted.Count <= MostKeys ? wanted : throw MatrixException.TooLarge("There are too many signatures.");
    }

    static (NewSignatures?, SignatureRefusal?) CheckOwn(string userId, string key, SignedObject signed, UserKeys own)
    {
        if (own.Devices.FirstOrDefault(device => device.DeviceId == key) is { } device)
        {
            return own.SelfSigning is { } selfSigning && KeyWriter.PublicKey(selfSigning.Keys) is { } by
                ? Check(signed, device.Keys, userId, id => id.Version == by ? VerifyKey.TryParse(by) : null,
                    signatures => new NewSignatures(userId, key, true, $"{{{JsonSerializer.Serialize(userId)}:{signatures}}}"))
                : (null, new SignatureRefusal("M_NOT_FOUND", "You have no self-signing key."));
        }
        return own.Master is { } master && KeyWriter.PublicKey(master.Keys) == key
            ? Check(signed, master.Keys, userId, id => KeyOf(own, id),
                signatures => new NewSignatures(userId, key, false, $"{{{JsonSerializer.Serialize(userId)}:{signatures}}}"))
            : (null, new SignatureRefusal("M_NOT_FOUND", "You have no such key."));
    }

    static (NewSignatures?, SignatureRefusal?) CheckOther(string userId, string target, string key, SignedObject signed, UserKeys own, UserKeys others)
    {
        if (others.Master is not { } master || KeyWriter.PublicKey(master.Keys) != key)
            return (null, new SignatureRefusal("M_NOT_FOUND", "This user has no such master key."));
        return own.UserSigning is { } userSigning && KeyWriter.PublicKey(userSigning.Keys) is { } by
            ? Check(signed, master.Keys, userId, id => id.Version == by ? VerifyKey.TryParse(by) : null,
                signatures => new NewSignatures(target, key, false, signatures))
            : (null, new SignatureRefusal("M_NOT_FOUND", "You have no user-signing key."));
    }

    static (NewSignatures?, SignatureRefusal?) Check(
        SignedObject signed, byte[] stored, string userId, Func<KeyId, VerifyKey?> findKey, Func<string, NewSignatures> found)
    {
        if (!signed.HasKeys(stored))
            return (null, new SignatureRefusal("M_INVALID_PARAM", "This is not the key that was signed."));
        if (signed.Of(userId) is not { } signatures || !signed.IsSignedBy(userId, findKey))
            return (null, new SignatureRefusal("M_INVALID_SIGNATURE", "The signature is not good."));
        // what was verified, and nothing beside it
        var verified = signatures.EnumerateObject().Where(s => KeyId.TryParse(s.Name, out var id) && findKey(id) is not null)
            .ToDictionary(s => s.Name, s => s.Value.GetString()!);
        return (found(JsonSerializer.Serialize(verified)), null);
    }

    // The key by which one of the user's devices signs.
    static VerifyKey? KeyOf(UserKeys own, KeyId id)
    {
        if (own.Devices.FirstOrDefault(device => device.DeviceId == id.Version) is not { } device)
            return null;
        return JsonElement.Parse(device.Keys).TryGetProperty("keys", out var keys) && keys.TryGetProperty(id.ToString(), out var key)
            && key.ValueKind == JsonValueKind.String ? VerifyKey.TryParse(key.GetString()!) : null;
    }
}
