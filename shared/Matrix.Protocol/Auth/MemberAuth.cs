namespace Matrix.Protocol;

/// <summary>The auth rules of <c>m.room.member</c>.</summary>
static class MemberAuth
{
    public static AuthResult Check(AuthContext context)
    {
        var pdu = context.Pdu;
        if (pdu.StateKey is not { } target)
            return AuthResult.Refuse(AuthRules.MemberStateKey, "A membership needs a state key.");
        if (JsonObjectReader.Find(pdu.ContentJson.Span, "membership"u8).IsEmpty)
            return AuthResult.Refuse(AuthRules.MemberMembership, "The content has no membership.");
        if (context.Rules.HasRestrictedJoins && !IsSignedByAuthoriser(pdu))
            return AuthResult.Refuse(AuthRules.MemberAuthoriserSignature, "The server of the authorising user did not sign.");
        return pdu.Membership switch
        {
            "join" => CheckJoin(context, target),
            "invite" => CheckInvite(context, target),
            "leave" => CheckLeave(context, target),
            "ban" => CheckBan(context, target),
            "knock" when context.Rules.HasKnocking => CheckKnock(context, target),
            _ => AuthResult.Refuse(AuthRules.MemberUnknown, "The membership is not known."),
        };
    }

    static AuthResult CheckJoin(AuthContext context, string target)
    {
        var pdu = context.Pdu;
        if (pdu.PrevEvents.Count == 1 && pdu.PrevEvents[0] == context.Create.EventId && IsCreator(context.Create, target))
            return AuthResult.Allow;
        if (pdu.Sender.ToString() != target)
            return AuthResult.Refuse(AuthRules.MemberJoinSender, "Nobody can join for somebody else.");
        var membership = context.Membership(target);
        if (membership == "ban")
            return AuthResult.Refuse(AuthRules.MemberJoinBanned, "The user is banned.");
        return context.JoinRule switch
        {
            "public" => AuthResult.Allow,
            "invite" => Invited(),
            "knock" when context.Rules.HasKnocking => Invited(),
            "restricted" when context.Rules.HasRestrictedJoins => Restricted(),
            "knock_restricted" when context.Rules.HasKnockRestrictedJoins => Restricted(),
            _ => AuthResult.Refuse(AuthRules.MemberJoinJoinRule, "The join rule lets nobody in."),
        };

        AuthResult Invited() =>
            AuthResult.AllowIf(membership is "invite" or "join", AuthRules.MemberJoinNotInvited, "The user is not invited.");

        AuthResult Restricted() =>
            AuthResult.AllowIf(membership is "invite" or "join" || CanAuthorise(context), AuthRules.MemberJoinRestricted,
                "No joined user with the power to invite authorised the join.");
    }

    static AuthResult CheckInvite(AuthContext context, string target)
    {
        if (ThirdPartyInvite.IsPresent(context.Pdu))
            return ThirdPartyInvite.Check(context, target);
        if (context.Membership(context.Pdu.Sender.ToString()) != "join")
            return AuthResult.Refuse(AuthRules.MemberInviteSenderNotJoined, "The sender is not in the room.");
        if (context.Membership(target) is "join" or "ban")
            return AuthResult.Refuse(AuthRules.MemberInviteTarget, "The user is in the room or banned.");
        return AuthResult.AllowIf(context.SenderLevel >= context.Levels.Invite, AuthRules.MemberInviteLevel, "The sender may not invite.");
    }

    static AuthResult CheckLeave(AuthContext context, string target)
    {
        var membership = context.Membership(target);
        if (context.Pdu.Sender.ToString() == target)
            return AuthResult.AllowIf(membership is "invite" or "join" || (membership == "knock" && context.Rules.HasKnocking),
                AuthRules.MemberLeaveNotInRoom, "The user is not in the room.");
        if (context.Membership(context.Pdu.Sender.ToString()) != "join")
            return AuthResult.Refuse(AuthRules.MemberLeaveSenderNotJoined, "The sender is not in the room.");
        if (membership == "ban" && context.SenderLevel < context.Levels.Ban)
            return AuthResult.Refuse(AuthRules.MemberLeaveUnbanLevel, "The sender may not lift a ban.");
        return AuthResult.AllowIf(context.SenderLevel >= context.Levels.Kick && context.Levels.For(target) < context.SenderLevel,
            AuthRules.MemberLeaveKickLevel, "The sender may not remove this user.");
    }

    static AuthResult CheckBan(AuthContext context, string target)
    {
        if (context.Membership(context.Pdu.Sender.ToString()) != "join")
            return AuthResult.Refuse(AuthRules.MemberBanSenderNotJoined, "The sender is not in the room.");
        return AuthResult.AllowIf(context.SenderLevel >= context.Levels.Ban && context.Levels.For(target) < context.SenderLevel,
            AuthRules.MemberBanLevel, "The sender may not ban this user.");
    }

    static AuthResult CheckKnock(AuthContext context, string target)
    {
        var rule = context.JoinRule;
        if (rule != "knock" && !(rule == "knock_restricted" && context.Rules.HasKnockRestrictedJoins))
            return AuthResult.Refuse(AuthRules.MemberKnockJoinRule, "The room does not take knocks.");
        if (context.Pdu.Sender.ToString() != target)
            return AuthResult.Refuse(AuthRules.MemberKnockSender, "Nobody can knock for somebody else.");
        return AuthResult.AllowIf(context.Membership(target) is not ("ban" or "invite" or "join"),
            AuthRules.MemberKnockMembership, "The user is banned, invited or in the room.");
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
