namespace Matrix.Protocol;

/// <summary>An invite that came by way of an identity server: <c>third_party_invite.signed</c> of a membership.</summary>
sealed class ThirdPartyInvite
{
    /// <summary>So many signatures are tried; honest invites have one or two.</summary>
    const int MaxAttempts = 1000;

    public string? UserId { get; private init; }

    public string? Token { get; private init; }

    /// <summary>Does the content have the member at all?</summary>
    public static bool IsPresent(Pdu pdu) => !JsonObjectReader.Find(pdu.ContentJson.Span, "third_party_invite"u8).IsEmpty;

    /// <summary>The signed part; null if there is none.</summary>
    public static ThirdPartyInvite? Read(Pdu pdu) => Read(pdu.ContentJson.Span);

    /// <inheritdoc cref="Read(Pdu)"/>
    public static ThirdPartyInvite? Read(ReadOnlySpan<byte> content)
    {
        var signed = Signed(content);
        if (signed.IsEmpty)
            return null;
        return new ThirdPartyInvite
        {
            UserId = JsonText.ReadString(JsonObjectReader.Find(signed, "mxid"u8)),
            Token = JsonText.ReadString(JsonObjectReader.Find(signed, "token"u8)),
        };
    }

    public static AuthResult Check(AuthContext context, string target)
    {
        if (context.Membership(target) == "ban")
            return AuthResult.Refuse(AuthRules.MemberInviteThirdPartyBanned, "The user is banned.");
        if (Read(context.Pdu) is not { } invite)
            return AuthResult.Refuse(AuthRules.MemberInviteThirdPartySigned, "third_party_invite has no signed object.");
        if (invite.UserId is null || invite.Token is null)
            return AuthResult.Refuse(AuthRules.MemberInviteThirdPartyMembers, "The signed object lacks mxid or token.");
        if (invite.UserId != target)
            return AuthResult.Refuse(AuthRules.MemberInviteThirdPartyMxid, "The signed object is about another user.");
        if (context.Find(EventTypes.ThirdPartyInvite, invite.Token) is not { } offered)
            return AuthResult.Refuse(AuthRules.MemberInviteThirdPartyToken, "The room has no such third-party invite.");
        if (offered.Sender != context.Pdu.Sender)
            return AuthResult.Refuse(AuthRules.MemberInviteThirdPartySender, "Somebody else made the third-party invite.");
        return AuthResult.AllowIf(IsSignedByOne(Signed(context.Pdu.ContentJson.Span), PublicKeys(offered)),
            AuthRules.MemberInviteThirdPartySignature, "No signature fits a key of the third-party invite.");
    }

    static ReadOnlySpan<byte> Signed(ReadOnlySpan<byte> content)
    {
        var invite = JsonObjectReader.Find(content, "third_party_invite"u8);
        var signed = invite.IsEmpty || invite[0] != '{' ? default : JsonObjectReader.Find(invite, "signed"u8);
        return signed.IsEmpty || signed[0] != '{' ? default : signed;
    }

    static bool IsSignedByOne(ReadOnlySpan<byte> signed, List<VerifyKey> keys)
    {
        var payload = JsonObjectEditor.Without(signed, "signatures", "unsigned");
        var attempts = 0;
        foreach (var signature in Signatures(signed))
            foreach (var key in keys)
                if (attempts++ < MaxAttempts && key.Verify(payload, signature))
                    return true;
        return false;
    }

    static List<byte[]> Signatures(ReadOnlySpan<byte> signed)
    {
        var found = new List<byte[]>(1);
        var all = JsonObjectReader.Find(signed, "signatures"u8);
        if (all.IsEmpty || all[0] != '{')
            return found;
        var entities = new JsonObjectReader(all);
        while (entities.MoveNext())
        {
            if (entities.Value[0] != '{')
                continue;
            var keys = new JsonObjectReader(entities.Value);
            while (keys.MoveNext())
                if (keys.Name.StartsWith("ed25519:"u8) && JsonText.ReadString(keys.Value) is { } text
                    && UnpaddedBase64.Decode(text) is { } signature)
                    found.Add(signature);
        }
        return found;
    }

    static List<VerifyKey> PublicKeys(Pdu offered)
    {
        var keys = new List<VerifyKey>(2);
        Add(keys, offered.ContentString("public_key"u8));
        var list = JsonObjectReader.Find(offered.ContentJson.Span, "public_keys"u8);
        if (list.IsEmpty || list[0] != '[')
            return keys;
        var reader = new JsonArrayReader(list);
        while (reader.MoveNext())
            if (reader.Value[0] == '{')
                Add(keys, JsonText.ReadString(JsonObjectReader.Find(reader.Value, "public_key"u8)));
        return keys;
    }

    static void Add(List<VerifyKey> keys, string? text)
    {
        if (text is not null && VerifyKey.TryParse(text) is { } key)
            keys.Add(key);
    }
}
