using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using Matrix.Protocol;

namespace Matrix.Rooms.State;

/// <summary>
/// A (type, state key) as the tree holds it: one byte for a common type, else 0, the type's length and the type; then the state key.
/// Its place in the tree is given by the first 64 bits of its SHA-256, three for each level.
/// </summary>
readonly struct StateTreeKey
{
    public const int BitsPerLevel = 3;
    public const int Slots = 1 << BitsPerLevel;

    /// <summary>The hash has bits for this many levels of branches; below them a leaf holds whatever comes.</summary>
    public const int MaxDepth = 21;

    // Stored: the order is the code. Append only, and never a type that rooms may already have in their state in its long form.
    static readonly string[] CommonTypes =
    [
        "m.room.member", "m.room.create", "m.room.power_levels", "m.room.join_rules", "m.room.history_visibility", "m.room.guest_access",
        "m.room.name", "m.room.topic", "m.room.avatar", "m.room.canonical_alias", "m.room.encryption", "m.room.third_party_invite",
        "m.room.tombstone", "m.room.pinned_events", "m.room.server_acl", "m.space.child", "m.space.parent", "m.room.aliases",
        "m.bridge", "uk.half-shot.bridge", "im.vector.modular.widgets", "io.element.functional_members", "org.matrix.msc3401.call",
        "org.matrix.msc3401.call.member", "m.rtc.member", "m.room.policy", "m.policy.rule.user", "m.policy.rule.room", "m.policy.rule.server",
        "m.beacon_info", "org.matrix.msc3672.beacon_info", "m.poll.start", "m.room.bot.options", "m.room.retention", "m.call", "m.call.member",
    ];

    static readonly FrozenDictionary<string, byte> Codes =
        CommonTypes.Select((type, i) => (type, code: (byte)(i + 1))).ToFrozenDictionary(t => t.type, t => t.code, StringComparer.Ordinal);

    readonly byte[] bytes;

    StateTreeKey(byte[] bytes)
    {
        this.bytes = bytes;
        Hash = HashOf(bytes);
    }

    public ReadOnlyMemory<byte> Bytes => bytes;

    public ulong Hash { get; }

    public static StateTreeKey Encode(StateKeyPair key)
    {
        var stateKeyLength = Encoding.UTF8.GetByteCount(key.StateKey);
        if (Codes.TryGetValue(key.Type, out var code))
        {
            var common = new byte[1 + stateKeyLength];
            common[0] = code;
            Encoding.UTF8.GetBytes(key.StateKey, common.AsSpan(1));
            return new StateTreeKey(common);
        }
        var typeLength = Encoding.UTF8.GetByteCount(key.Type);
        var bytes = new byte[3 + typeLength + stateKeyLength];
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(1), checked((ushort)typeLength));
        Encoding.UTF8.GetBytes(key.Type, bytes.AsSpan(3));
        Encoding.UTF8.GetBytes(key.StateKey, bytes.AsSpan(3 + typeLength));
        return new StateTreeKey(bytes);
    }

    public static StateKeyPair Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes[0] != 0)
            return new StateKeyPair(CommonTypes[bytes[0] - 1], Encoding.UTF8.GetString(bytes[1..]));
        var typeLength = BinaryPrimitives.ReadUInt16BigEndian(bytes[1..]);
        return new StateKeyPair(Encoding.UTF8.GetString(bytes.Slice(3, typeLength)), Encoding.UTF8.GetString(bytes[(3 + typeLength)..]));
    }

    public static ulong HashOf(ReadOnlySpan<byte> key)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(key, digest);
        return BinaryPrimitives.ReadUInt64BigEndian(digest);
    }

    /// <summary>Which child of a branch at this depth leads to a key with this hash.</summary>
    public static int Slot(ulong hash, int depth) => (int)(hash >> (64 - BitsPerLevel * (depth + 1))) & (Slots - 1);
}
