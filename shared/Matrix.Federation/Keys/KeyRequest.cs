using Matrix.Protocol;

namespace Matrix.Federation;

/// <summary>A key that is wanted.</summary>
/// <param name="ValidAt">When it must have been valid, Unix milliseconds; 0 takes one that is valid no more.</param>
public sealed record KeyRequest(ServerName Server, KeyId KeyId, long ValidAt)
{
    /// <summary>Stands for whatever keys a server has; no key can have this id.</summary>
    public static KeyId Any { get; } = KeyId.Parse("any:any");
}

/// <summary>A key of another server, and until when what it signs is good.</summary>
sealed record KnownKey(VerifyKey Key, long ValidUntil)
{
    public bool IsValidAt(long ts) => ts <= ValidUntil;
}

/// <summary>All keys that are known of a server.</summary>
sealed record KnownKeys(IReadOnlyDictionary<KeyId, KnownKey> Keys, long FetchedAt)
{
    public static KnownKeys None { get; } = new(new Dictionary<KeyId, KnownKey>(), 0);

    public bool Has(KeyRequest wanted) => wanted.KeyId == KeyRequest.Any
        ? Keys.Values.Any(key => key.IsValidAt(wanted.ValidAt))
        : Keys.TryGetValue(wanted.KeyId, out var key) && key.IsValidAt(wanted.ValidAt);
}
