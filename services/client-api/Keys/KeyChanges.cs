using Matrix.Replication;
using Matrix.Storage;
using Matrix.Storage.Keys;
using Npgsql;

namespace Matrix.ClientApi.Keys;

/// <summary>A device published keys of its own.</summary>
/// <param name="identity">Null: they are as they were.</param>
sealed class KeysUploaded(
    string userId, string deviceId, SignedObject? identity, IReadOnlyList<UploadedKey> oneTimeKeys, IReadOnlyList<UploadedKey> fallbackKeys) : LogChange
{
    public override IReadOnlyList<LogEntryDraft> Entries { get; } =
        [new(identity is null ? LogKind.OneTimeKeys : LogKind.DeviceList, UserId: userId, DeviceId: deviceId)];

    public override void AddCommands(NpgsqlBatch batch, Func<int, int> back)
    {
        if (identity is not null)
        {
            DeviceKeyStore.AddDeviceKeys(batch, userId, deviceId, identity.Keys, identity.SignaturesText);
            DeviceKeyStore.AddListChange(batch, userId, back(0));
        }
        if (oneTimeKeys.Count > 0)
            DeviceKeyStore.AddOneTimeKeys(batch, userId, deviceId, oneTimeKeys);
        if (fallbackKeys.Count > 0)
            DeviceKeyStore.AddFallbackKeys(batch, userId, deviceId, fallbackKeys);
    }
}

/// <summary>A device has another name, which is shown with its keys.</summary>
sealed class DeviceRenamed(string userId, string deviceId, string displayName) : LogChange
{
    public override IReadOnlyList<LogEntryDraft> Entries { get; } = [new(LogKind.DeviceList, UserId: userId, DeviceId: deviceId)];

    public override void AddCommands(NpgsqlBatch batch, Func<int, int> back)
    {
        batch.Add("UPDATE devices SET display_name = $3 WHERE user_id = $1 AND device_id = $2", userId, deviceId, displayName);
        DeviceKeyStore.AddListChange(batch, userId, back(0));
    }
}

/// <summary>A cross-signing key to be stored.</summary>
sealed record NewCrossSigningKey(string Usage, string PublicKey, SignedObject Object);

/// <summary>A user published cross-signing keys. With another master key the keys that it did not sign are no longer good.</summary>
sealed class CrossSigningUploaded(string userId, IReadOnlyList<NewCrossSigningKey> keys, bool replacesMaster) : LogChange
{
    public override IReadOnlyList<LogEntryDraft> Entries { get; } = [new(LogKind.DeviceList, UserId: userId)];

    public override void AddCommands(NpgsqlBatch batch, Func<int, int> back)
    {
        if (replacesMaster)
            batch.Add("DELETE FROM cross_signing_keys WHERE user_id = $1", userId);
        foreach (var key in keys)
            DeviceKeyStore.AddCrossSigningKey(batch, userId, key.Usage, key.PublicKey, key.Object.Keys, key.Object.SignaturesText);
        DeviceKeyStore.AddListChange(batch, userId, back(0));
    }
}

/// <summary>Signatures that were found good.</summary>
/// <param name="Target">Whose key is signed.</param>
/// <param name="Key">A device id, or the public part of a master key.</param>
/// <param name="Signatures">JSON: by entity and key id for the user's own keys, else by key id.</param>
sealed record NewSignatures(string Target, string Key, bool IsDevice, string Signatures);

/// <summary>A user signed keys: own ones, which all are shown, or others', which only the user is shown.</summary>
sealed class SignaturesUploaded : LogChange
{
    readonly string userId;
    readonly IReadOnlyList<NewSignatures> signatures;
    readonly List<string?> concerned;

    public SignaturesUploaded(string userId, IReadOnlyList<NewSignatures> signatures)
    {
        (this.userId, this.signatures) = (userId, signatures);
        // null: the user's own list
        concerned = [.. signatures.Select(s => s.Target == userId ? null : s.Target).Distinct()];
        Entries = [.. concerned.Select(target => new LogEntryDraft(LogKind.DeviceList, UserId: userId, Key: target))];
    }

    public override IReadOnlyList<LogEntryDraft> Entries { get; }

    public override void AddCommands(NpgsqlBatch batch, Func<int, int> back)
    {
        foreach (var signed in signatures)
        {
            if (signed.Target != userId)
                DeviceKeyStore.AddForeignSignatures(batch, userId, signed.Target, signed.Key, signed.Signatures, back(concerned.IndexOf(signed.Target)));
            else if (signed.IsDevice)
                DeviceKeyStore.AddDeviceSignatures(batch, userId, signed.Key, signed.Signatures);
            else
                DeviceKeyStore.AddMasterSignatures(batch, userId, signed.Key, signed.Signatures);
        }
        if (concerned.IndexOf(null) is >= 0 and var own)
            DeviceKeyStore.AddListChange(batch, userId, back(own));
    }
}
