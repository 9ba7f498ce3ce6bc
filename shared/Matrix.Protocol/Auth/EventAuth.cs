namespace Matrix.Protocol;

/// <summary>
/// The authorisation rules (spec, Room Versions, Authorisation rules). Signatures and hashes are checked before (<see cref="EventSignatures"/>);
/// these rules only look at events and state.
/// </summary>
public static class EventAuth
{
    /// <summary>May this event be in the room, given this state?</summary>
    /// <param name="state">The state to check against: at the event, current, or of the event's own auth events.</param>
    /// <param name="create">
    /// The room's accepted create event. Null looks it up in <paramref name="state"/>; give it when the state is made of a version 12 event's
    /// auth events, which do not contain it.
    /// </param>
    public static AuthResult Check(Pdu pdu, IAuthState state, RoomVersionRules rules, Pdu? create = null)
    {
        if (pdu.Type == EventTypes.Create)
            return CheckCreate(pdu, rules);
        create ??= state.Find(EventTypes.Create, "");
        if (create is null)
            return AuthResult.Refuse(AuthRules.CreateMissing, "The room has no create event.");
        if (create.RoomId != pdu.RoomId)
            return AuthResult.Refuse(AuthRules.CreateOtherRoom, "The create event is not this room's.");
        if (pdu.Sender.Server != create.Sender.Server && !IsFederated(create))
            return AuthResult.Refuse(AuthRules.CreateNotFederated, "The room does not admit users of other servers.");

        var context = new AuthContext(pdu, state, rules, create);
        if (pdu.Type == EventTypes.Aliases && rules.HasAliasesRule)
            return CheckAliases(pdu);
        return pdu.Type == EventTypes.Member ? MemberAuth.Check(context) : CheckOther(context);
    }

    /// <summary>
    /// The rules about <c>auth_events</c> themselves: the right ones, once each, accepted, of this room.
    /// </summary>
    /// <param name="authEvents">The events that <see cref="Pdu.AuthEvents"/> names.</param>
    /// <param name="isRejected">Was this one rejected when it was received?</param>
    public static AuthResult CheckAuthEvents(Pdu pdu, IReadOnlyList<Pdu> authEvents, Func<EventId, bool> isRejected)
    {
        if (pdu.Type == EventTypes.Create)
            return AuthResult.Allow;
        var expected = AuthEvents.KeysFor(pdu);
        var seen = new HashSet<StateKeyPair>();
        foreach (var authEvent in authEvents)
        {
            if (authEvent.StateKey is not { } stateKey || !expected.Contains(new(authEvent.Type, stateKey)))
                return AuthResult.Refuse(AuthRules.AuthEventsUnexpected, $"{authEvent} does not belong into the auth events.");
            if (!seen.Add(new(authEvent.Type, stateKey)))
                return AuthResult.Refuse(AuthRules.AuthEventsDuplicate, $"There are two {authEvent.Type} among the auth events.");
            if (isRejected(authEvent.EventId))
                return AuthResult.Refuse(AuthRules.AuthEventsRejected, $"{authEvent} was rejected.");
            if (authEvent.RoomId != pdu.RoomId)
                return AuthResult.Refuse(AuthRules.AuthEventsOtherRoom, $"{authEvent} is of another room.");
        }
        return AuthResult.AllowIf(pdu.Rules.RoomIdIsCreateHash || seen.Contains(new(EventTypes.Create, "")),
            AuthRules.AuthEventsNoCreate, "The create event is not among the auth events.");
    }

    static AuthResult CheckCreate(Pdu pdu, RoomVersionRules rules)
    {
        if (pdu.PrevEvents.Count > 0)
            return AuthResult.Refuse(AuthRules.CreatePrevEvents, "A create event is the first of its room.");
        if (rules.RoomIdIsCreateHash && pdu.HasRoomId)
            return AuthResult.Refuse(AuthRules.CreateRoomId, "A create event of this version has no room_id.");
        if (!rules.RoomIdIsCreateHash && pdu.RoomId.Server != pdu.Sender.Server)
            return AuthResult.Refuse(AuthRules.CreateDomain, "The room id and the sender are of different servers.");
        var content = pdu.ContentJson.Span;
        var version = JsonObjectReader.Find(content, "room_version"u8);
        if (!version.IsEmpty && (JsonText.ReadString(version) is not { } id || RoomVersions.Find(id) is null))
            return AuthResult.Refuse(AuthRules.CreateRoomVersion, "The room version is not known.");
        if (!rules.CreatorIsSender && JsonObjectReader.Find(content, "creator"u8).IsEmpty)
            return AuthResult.Refuse(AuthRules.CreateCreator, "The content names no creator.");
        return AuthResult.AllowIf(!rules.HasPrivilegedCreators || AreUserIds(JsonObjectReader.Find(content, "additional_creators"u8)),
            AuthRules.CreateAdditionalCreators, "additional_creators is not a list of user ids.");
    }

    static AuthResult CheckAliases(Pdu pdu) =>
        AuthResult.AllowIf(pdu.StateKey == pdu.Sender.Server.ToString(), AuthRules.AliasesStateKey, "The state key is not the sender's server.");

    static AuthResult CheckOther(AuthContext context)
    {
        var pdu = context.Pdu;
        if (context.Membership(pdu.Sender.ToString()) != "join")
            return AuthResult.Refuse(AuthRules.SenderNotJoined, "The sender is not in the room.");
        if (pdu.Type == EventTypes.ThirdPartyInvite)
            return AuthResult.AllowIf(context.SenderLevel >= context.Levels.Invite, AuthRules.ThirdPartyInviteLevel, "The sender may not invite.");
        if (context.SenderLevel < context.Levels.Required(pdu.Type, pdu.IsState))
            return AuthResult.Refuse(AuthRules.LevelRequired, $"The sender may not send {pdu.Type}.");
        if (pdu.StateKey is ['@', ..] && pdu.StateKey != pdu.Sender.ToString())
            return AuthResult.Refuse(AuthRules.StateKeyOtherUser, "The state key is another user.");
        if (pdu.Type == EventTypes.PowerLevels)
            return PowerLevelAuth.Check(context);
        if (pdu.Type == EventTypes.Redaction && context.Rules.HasRedactionRule)
            return AuthResult.AllowIf(context.SenderLevel >= context.Levels.Redact
                || (pdu.Redacts?.Server is { } server && server == pdu.EventId.Server),
                AuthRules.RedactionLevel, "The sender may not redact events of another server.");
        return AuthResult.Allow;
    }

    static bool IsFederated(Pdu create) =>
        !JsonObjectReader.Find(create.ContentJson.Span, "m.federate"u8).SequenceEqual("false"u8);

    static bool AreUserIds(ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty)
            return true;
        if (value[0] != '[')
            return false;
        var reader = new JsonArrayReader(value);
        while (reader.MoveNext())
            if (!UserId.TryParse(JsonText.ReadString(reader.Value), out _))
                return false;
        return true;
    }
}
