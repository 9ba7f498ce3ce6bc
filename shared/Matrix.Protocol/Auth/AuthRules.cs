namespace Matrix.Protocol;

/// <summary>
/// The names of the authorisation rules, as <see cref="AuthResult.Rule"/> gives them: the same in every room version that has the rule
/// (spec, Room Versions, Authorisation rules). Each says what must hold.
/// </summary>
public static class AuthRules
{
    /// <summary>A create event is the first of its room.</summary>
    public const string CreatePrevEvents = "create.prev_events";

    /// <summary>Since version 12 a create event has no <c>room_id</c>.</summary>
    public const string CreateRoomId = "create.room_id";

    /// <summary>Up to version 11 the room id is of the sender's server.</summary>
    public const string CreateDomain = "create.domain";

    /// <summary><c>content.room_version</c>, if present, is a known version.</summary>
    public const string CreateRoomVersion = "create.room_version";

    /// <summary>Up to version 10 the content names a creator.</summary>
    public const string CreateCreator = "create.creator";

    /// <summary>Since version 12 <c>additional_creators</c>, if present, is a list of user ids.</summary>
    public const string CreateAdditionalCreators = "create.additional_creators";

    /// <summary>The room has a create event.</summary>
    public const string CreateMissing = "create.missing";

    /// <summary>The create event is that of the event's room.</summary>
    public const string CreateOtherRoom = "create.other_room";

    /// <summary>With <c>m.federate: false</c> only users of the creator's server take part.</summary>
    public const string CreateNotFederated = "create.not_federated";

    /// <summary>Only events that the selection names are cited.</summary>
    public const string AuthEventsUnexpected = "auth_events.unexpected";

    /// <summary>No place of the state is cited twice.</summary>
    public const string AuthEventsDuplicate = "auth_events.duplicate";

    /// <summary>No rejected event is cited.</summary>
    public const string AuthEventsRejected = "auth_events.rejected";

    /// <summary>No event of another room is cited.</summary>
    public const string AuthEventsOtherRoom = "auth_events.other_room";

    /// <summary>Up to version 11 the create event is cited.</summary>
    public const string AuthEventsNoCreate = "auth_events.no_create";

    /// <summary>Up to version 5 the state key of <c>m.room.aliases</c> is the sender's server.</summary>
    public const string AliasesStateKey = "aliases.state_key";

    /// <summary>A membership has a state key.</summary>
    public const string MemberStateKey = "member.state_key";

    /// <summary>The content of a membership says which.</summary>
    public const string MemberMembership = "member.membership";

    /// <summary>Since version 8 the server of <c>join_authorised_via_users_server</c> has signed.</summary>
    public const string MemberAuthoriserSignature = "member.authoriser_signature";

    /// <summary>The room version knows the membership.</summary>
    public const string MemberUnknown = "member.unknown";

    /// <summary>Everybody joins for themselves.</summary>
    public const string MemberJoinSender = "member.join.sender";

    /// <summary>The banned do not join.</summary>
    public const string MemberJoinBanned = "member.join.banned";

    /// <summary>The join rule is one that lets somebody in.</summary>
    public const string MemberJoinJoinRule = "member.join.join_rule";

    /// <summary>By the join rules <c>invite</c> and <c>knock</c> the invited join.</summary>
    public const string MemberJoinNotInvited = "member.join.not_invited";

    /// <summary>By the join rules <c>restricted</c> and <c>knock_restricted</c> the invited join, and whom a member with that power vouches for.</summary>
    public const string MemberJoinRestricted = "member.join.restricted";

    /// <summary>Who invites is in the room.</summary>
    public const string MemberInviteSenderNotJoined = "member.invite.sender_not_joined";

    /// <summary>Who is invited is neither in the room nor banned.</summary>
    public const string MemberInviteTarget = "member.invite.target";

    /// <summary>Who invites has the power to.</summary>
    public const string MemberInviteLevel = "member.invite.level";

    /// <summary>Who leaves was in the room, invited or (since version 7) knocking.</summary>
    public const string MemberLeaveNotInRoom = "member.leave.not_in_room";

    /// <summary>Who removes somebody is in the room.</summary>
    public const string MemberLeaveSenderNotJoined = "member.leave.sender_not_joined";

    /// <summary>Who lifts a ban has the power to ban.</summary>
    public const string MemberLeaveUnbanLevel = "member.leave.unban_level";

    /// <summary>Who removes somebody has the power to, and more power than the one removed.</summary>
    public const string MemberLeaveKickLevel = "member.leave.kick_level";

    /// <summary>Who bans is in the room.</summary>
    public const string MemberBanSenderNotJoined = "member.ban.sender_not_joined";

    /// <summary>Who bans has the power to, and more power than the one banned.</summary>
    public const string MemberBanLevel = "member.ban.level";

    /// <summary>The join rule takes knocks.</summary>
    public const string MemberKnockJoinRule = "member.knock.join_rule";

    /// <summary>Everybody knocks for themselves.</summary>
    public const string MemberKnockSender = "member.knock.sender";

    /// <summary>The banned, the invited and the joined do not knock.</summary>
    public const string MemberKnockMembership = "member.knock.membership";

    /// <summary>The banned are not invited by way of a third party.</summary>
    public const string MemberInviteThirdPartyBanned = "member.invite.third_party.banned";

    /// <summary><c>third_party_invite</c> has a <c>signed</c> object.</summary>
    public const string MemberInviteThirdPartySigned = "member.invite.third_party.signed";

    /// <summary><c>signed</c> has <c>mxid</c> and <c>token</c>.</summary>
    public const string MemberInviteThirdPartyMembers = "member.invite.third_party.members";

    /// <summary><c>mxid</c> is the invited user.</summary>
    public const string MemberInviteThirdPartyMxid = "member.invite.third_party.mxid";

    /// <summary>The room has the <c>m.room.third_party_invite</c> of the token.</summary>
    public const string MemberInviteThirdPartyToken = "member.invite.third_party.token";

    /// <summary>Who invites made that <c>m.room.third_party_invite</c>.</summary>
    public const string MemberInviteThirdPartySender = "member.invite.third_party.sender";

    /// <summary>One of its keys signed <c>signed</c>.</summary>
    public const string MemberInviteThirdPartySignature = "member.invite.third_party.signature";

    /// <summary>Who sends is in the room.</summary>
    public const string SenderNotJoined = "sender.not_joined";

    /// <summary>Who sends <c>m.room.third_party_invite</c> has the power to invite.</summary>
    public const string ThirdPartyInviteLevel = "third_party_invite.level";

    /// <summary>Who sends has the power that the type of event takes.</summary>
    public const string LevelRequired = "level.required";

    /// <summary>A state key that begins with an at sign is the sender.</summary>
    public const string StateKeyOtherUser = "state_key.other_user";

    /// <summary>Each single level is a number as the room version wants it.</summary>
    public const string PowerLevelsLevels = "power_levels.levels";

    /// <summary><c>events</c> and <c>notifications</c> (since version 6) are objects of such numbers.</summary>
    public const string PowerLevelsEvents = "power_levels.events";

    /// <summary><c>users</c> is an object of user ids and such numbers.</summary>
    public const string PowerLevelsUsers = "power_levels.users";

    /// <summary>Since version 12 <c>users</c> names no creator.</summary>
    public const string PowerLevelsCreators = "power_levels.creators";

    /// <summary>A changed single level is and becomes no greater than the sender's.</summary>
    public const string PowerLevelsChange = "power_levels.change";

    /// <summary>A changed entry of <c>events</c> or (since version 6) <c>notifications</c> is and becomes no greater than the sender's level.</summary>
    public const string PowerLevelsChangeEvents = "power_levels.change_events";

    /// <summary>A changed entry of <c>users</c>, other than the sender's, was below the sender's level.</summary>
    public const string PowerLevelsChangeUser = "power_levels.change_user";

    /// <summary>A changed entry of <c>users</c> becomes no greater than the sender's level.</summary>
    public const string PowerLevelsRaiseUser = "power_levels.raise_user";

    /// <summary>In versions 1 and 2 who redacts has the power to, or both event ids are of one server.</summary>
    public const string RedactionLevel = "redaction.level";
}
