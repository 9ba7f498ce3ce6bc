namespace Matrix.Protocol;

/// <summary>Hashes and signatures of events (Server-Server API, Signing Events).</summary>
public static class EventSignatures
{
    /// <summary>
    /// The event, in canonical form, with its content hash set and this signature added. Signatures that stand already are kept; they stay
    /// right as long as nothing else of the event changed.
    /// </summary>
    /// <param name="json">An event in any form.</param>
    /// <exception cref="InvalidJsonException">Not an object, or against the room version's JSON rules.</exception>
    public static byte[] Sign(ReadOnlySpan<byte> json, RoomVersionRules rules, ServerName server, SigningKey key)
    {
        var canonical = Canonicalize(json, rules);
        var hashed = JsonObjectEditor.With(canonical, "hashes"u8, EventHashes.Format(EventHashes.Content(canonical)));
        return SignCanonical(hashed, rules, server, key);
    }

    /// <summary>The same event with one more server's signature, as a resident server adds to a restricted join or an invited one to an invite.</summary>
    public static Pdu AddSignature(Pdu pdu, ServerName server, SigningKey key) =>
        Pdu.FromStored(pdu.EventId, SignCanonical(pdu.Json.Span, pdu.Rules, server, key), pdu.Rules);

    /// <summary>The same event with a signature that another server made.</summary>
    /// <param name="signature">Not looked at: see <see cref="Verify(Pdu, ServerName, Func{KeyId, VerifyKey?})"/>.</param>
    public static Pdu AddSignature(Pdu pdu, ServerName server, KeyId keyId, byte[] signature) =>
        Pdu.FromStored(pdu.EventId, JsonSignatures.Add(pdu.Json.Span, server.ToString(), keyId, signature), pdu.Rules);

    /// <summary>
    /// Did <paramref name="server"/> sign this event? Unknown keys (null from <paramref name="findKey"/>) are skipped; one known key must
    /// have signed, and every known one rightly.
    /// </summary>
    public static bool Verify(Pdu pdu, ServerName server, Func<KeyId, VerifyKey?> findKey) =>
        VerifyCanonical(pdu.Json.Span, pdu.Rules, server, findKey);

    /// <inheritdoc cref="Verify(Pdu, ServerName, Func{KeyId, VerifyKey?})"/>
    /// <param name="json">An event in any form.</param>
    /// <exception cref="InvalidJsonException">Not an object, or against the room version's JSON rules.</exception>
    public static bool Verify(ReadOnlySpan<byte> json, RoomVersionRules rules, ServerName server, Func<KeyId, VerifyKey?> findKey) =>
        VerifyCanonical(Canonicalize(json, rules), rules, server, findKey);

    /// <summary>The keys by which <paramref name="server"/> claims to have signed the event.</summary>
    public static IReadOnlyList<KeyId> KeyIds(Pdu pdu, ServerName server) => JsonSignatures.KeyIds(pdu.Json.Span, server.ToString());

    /// <summary>
    /// The servers that must have signed the event: the sender's; in versions 1 and 2 the event id's; the authorising user's of a restricted
    /// join. Of an invite by a third party the sender's need not have.
    /// </summary>
    public static IReadOnlyList<ServerName> RequiredSigners(Pdu pdu)
    {
        var signers = new List<ServerName>(2);
        if (!pdu.IsThirdPartyInvite)
            signers.Add(pdu.Sender.Server);
        if (pdu.Rules.HasAssignedEventIds && pdu.EventId.Server is { } assigner && !signers.Contains(assigner))
            signers.Add(assigner);
        if (pdu.Rules.HasRestrictedJoins && pdu.Type == EventTypes.Member && pdu.JoinAuthorisedBy is { } authoriser
            && !signers.Contains(authoriser.Server))
            signers.Add(authoriser.Server);
        return signers;
    }

    internal static byte[] SignCanonical(ReadOnlySpan<byte> canonical, RoomVersionRules rules, ServerName server, SigningKey key) =>
        JsonSignatures.Add(canonical, server.ToString(), key.KeyId, key.Sign(Redaction.Essentials(canonical, rules.Redaction)));

    static bool VerifyCanonical(ReadOnlySpan<byte> canonical, RoomVersionRules rules, ServerName server, Func<KeyId, VerifyKey?> findKey) =>
        JsonSignatures.Check(canonical, Redaction.Essentials(canonical, rules.Redaction), server.ToString(), findKey);

    static byte[] Canonicalize(ReadOnlySpan<byte> json, RoomVersionRules rules)
    {
        var canonical = CanonicalJson.Canonicalize(json, rules.Json);
        return canonical[0] == '{' ? canonical : throw new InvalidJsonException("An event is an object.");
    }
}
