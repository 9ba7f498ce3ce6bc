namespace Matrix.Protocol;

/// <summary>The auth rules of <c>m.room.member</c>.</summary>
static class MemberAuth
{
    public static AuthResult Check(AuthContext context)
    {
        var pdu = context.Pdu;
        if (pdu.StateKey is not { } target)
            return AuthResult.Refuse("member.state_key", "A membership needs a state key.");
        if (JsonObjectReader.Find(pdu.ContentJson.Span, "membership"u8).IsEmpty)
            return AuthResult.Refuse("member.membership", "The content has no membership.");
        if (context.Rules.HasRestrictedJoins && !IsSignedByAuthoriser(pdu))
            return AuthResult.Refuse("member.authoriser_signature", "The server of the authorising user did not sign.");
        return pdu.Membership switch
        {
            "join" => CheckJoin(context, target),
            "invite" => CheckInvite(context, target),
            "leave" => CheckLeave(context, target),
            "ban" => CheckBan(context, target),
            "knock" when context.Rules.HasKnocking => CheckKnock(context, target),
            _ => AuthResult.Refuse("member.unknown", "The membership is not known."),
        };
    }

    static AuthResult CheckJoin(AuthContext context, string target)
    {
        var pdu = context.Pdu;
        if (pdu.PrevEvents.Count == 1 && pdu.PrevEvents[0] == context.Create.EventId && IsCreator(context.Create, target))
            return AuthResult.Allow;
        if (pdu.Sender.ToString() != target)
            return AuthResult.Refuse("member.join.sender", "Nobody can join for somebody else.");
        var membership = context.Membership(target);
        if (membership == "ban")
            return AuthResult.Refuse("member.join.banned", "The user is banned.");
        return context.JoinRule switch
        {
            "public" => AuthResult.Allow,
            "invite" => Invited(),
            "knock" when context.Rules.HasKnocking => Invited(),
            "restricted" when context.Rules.HasRestrictedJoins => Restricted(),
            "knock_restricted" when context.Rules.HasKnockRestrictedJoins => Restricted(),
            _ => AuthResult.Refuse("member.join.join_rule", "The join rule lets nobody in."),
        };

        AuthResult Invited() =>
            AuthResult.AllowIf(membership is "invite" or "join", "member.join.not_invited", "The user is not invited.");

        AuthResult Restricted() =>
            AuthResult.AllowIf(membership is "invite" or "join" || CanAuthorise(context), "member.join.restricted",
                "No joined user with the power to invite authorised the join.");
    }

    static AuthResult CheckInvite(AuthContext context, string target)
    {
        if (ThirdPartyInvite.IsPresent(context.Pdu))
            return ThirdPartyInvite.Check(context, target);
        if (context.Membership(context.Pdu.Sender.ToString()) != "join")
            return AuthResult.Refuse("member.invite.sender_not_joined", "The sender is not in the room.");
        if (context.Membership(target) is "join" or "ban")
            return AuthResult.Refuse("member.invite.target", "The user is in the room or banned.");
        return AuthResult.AllowIf(context.SenderLevel >= context.Levels.Invite, "member.invite.level", "The sender may not invite.");
    }

    static AuthResult CheckLeave(AuthContext context, string target)
    {
        var membership = context.Membership(target);
        if (context.Pdu.Sender.ToString() == target)
            return AuthResult.AllowIf(membership is "invite" or "join" || (membership == "knock" && context.Rules.HasKnocking),
                "member.leave.not_in_room", "The user is not in the room.");
        if (context.Membership(context.Pdu.Sender.ToString()) != "join")
            return AuthResult.Refuse("member.leave.sender_not_joined", "The sender is not in the room.");
        if (membership == "ban" && context.SenderLevel < context.Levels.Ban)
            return AuthResult.Refuse("member.leave.unban_level", "The sender may not lift a ban.");
        return AuthResult.AllowIf(context.SenderLevel >= context.Levels.Kick && context.Levels.For(target) < context.SenderLevel,
            "member.leave.kick_level", "The sender may not remove this user.");
    }

    static AuthResult CheckBan(AuthContext context, string target)
    {
        if (context.Membership(context.Pdu.Sender.ToString()) != "join")
            return AuthResult.Refuse("member.ban.sender_not_joined", "The sender is not in the room.");
        return AuthResult.AllowIf(context.SenderLevel >= context.Levels.Ban && context.Levels.For(target) < context.SenderLevel,
            "member.ban.level", "The sender may not ban this user.");
    }

    static AuthResult CheckKnock(AuthContext context, string target)
    {
        var rule = context.JoinRule;
        if (rule != "knock" && !(rule == "knock_restricted" && context.Rules.HasKnockRestrictedJoins))
            return AuthResult.Refuse("member.knock.join_rule", "The room does not take knocks.");
        if (context.Pdu.Sender.ToString() != target)
            return AuthResult.Refuse("member.knock.sender", "Nobody can knock for somebody else.");
        return AuthResult.AllowIf(context.Membership(target) is not ("ban" or "invite" or "join"),
            "member.knock.membership", "The user is banned, invited or in the room.");
    }

    static bool CanAuthorise(AuthContext context) =>
        context.Pdu.JoinAuthorisedBy is { } authoriser
        && context.Membership(authoriser.ToString()) == "join"
        && context.Levels.For(authoriser) >= context.Levels.Invite;

    static bool IsCreator(Pdu create, string user) =>
        UserId.TryParse(user, out var id) && RoomCreators.Creator(create) == id;

    /// <summary>Whether the signature is right was checked when the event came in; here it must be there.</summary>
    static bool IsSignedByAuthoriser(Pdu pdu)
    {
        if (JsonObjectReader.Find(pdu.ContentJson.Span, "join_authorised_via_users_server"u8).IsEmpty)
            return true;
        return pdu.JoinAuthorisedBy is { } authoriser && EventSignatures.KeyIds(pdu, authoriser.Server).Count > 0;
    }
}
