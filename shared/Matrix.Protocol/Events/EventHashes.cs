using System.Security.Cryptography;
using System.Text;

namespace Matrix.Protocol;

/// <summary>The two hashes of an event (Server-Server API, Signing Events). They take canonical JSON.</summary>
static class EventHashes
{
    /// <summary>SHA-256 over everything but <c>hashes</c>, <c>signatures</c> and <c>unsigned</c>.</summary>
    public static byte[] Content(ReadOnlySpan<byte> canonical) =>
        SHA256.HashData(JsonObjectEditor.Without(canonical, "hashes", "signatures", "unsigned"));

    /// <summary>SHA-256 over the redacted event without <c>signatures</c> and <c>unsigned</c>.</summary>
    public static byte[] Reference(ReadOnlySpan<byte> canonical, RoomVersionRules rules) =>
        SHA256.HashData(Redaction.Essentials(canonical, rules.Redaction));

    /// <summary>Is <c>hashes.sha256</c> the content's hash?</summary>
    public static bool ContentMatches(ReadOnlySpan<byte> canonical)
    {
        var hashes = JsonObjectReader.Find(canonical, "hashes"u8);
        if (hashes.IsEmpty || hashes[0] != '{' || JsonText.ReadString(JsonObjectReader.Find(hashes, "sha256"u8)) is not { } claimed)
            return false;
        return UnpaddedBase64.Decode(claimed) is { } hash && Content(canonical).AsSpan().SequenceEqual(hash);
    }

    /// <summary>The event's id by its room version: the hash, or the one it names itself.</summary>
    public static EventId EventId(ReadOnlySpan<byte> canonical, RoomVersionRules rules) => rules.EventIds switch
    {
        EventIdFormat.Hash => Protocol.EventId.Trusted("$" + UnpaddedBase64.Encode(Reference(canonical, rules))),
        EventIdFormat.UrlSafeHash => Protocol.EventId.Trusted("$" + UnpaddedBase64.EncodeUrlSafe(Reference(canonical, rules))),
        _ => Protocol.EventId.TryParse(JsonText.ReadString(JsonObjectReader.Find(canonical, "event_id"u8)), out var assigned)
            && assigned.Server is not null ? assigned : throw new InvalidEventException("The event has no valid event_id."),
    };

    /// <summary>The value of <c>hashes</c> for this content hash.</summary>
    public static byte[] Format(ReadOnlySpan<byte> hash) =>
        Encoding.ASCII.GetBytes($$"""{"sha256":"{{UnpaddedBase64.Encode(hash)}}"}""");
}
