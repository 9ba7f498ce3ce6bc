using System.Reflection;

namespace Matrix.Protocol.Tests;

/// <summary>Every rule has, in every room version that knows it, a case that it refuses and one that just passes it.</summary>
public class AuthCoverageTests
{
    /// <summary>Each rule, the versions that have it, and the cases that come to it and pass.</summary>
    static readonly Coverage[] Table =
    [
        new(AuthRules.CreatePrevEvents, 1, 12, "create_first"),
        new(AuthRules.CreateRoomId, 12, 12, "create_first"),
        new(AuthRules.CreateDomain, 1, 11, "create_first"),
        new(AuthRules.CreateRoomVersion, 1, 12, "create_known_version"),
        new(AuthRules.CreateCreator, 1, 10, "create_first"),
        new(AuthRules.CreateAdditionalCreators, 12, 12, "create_additional_creators"),
        new(AuthRules.CreateMissing, 1, 12, "message"),
        new(AuthRules.CreateOtherRoom, 1, 12, "message"),
        new(AuthRules.CreateNotFederated, 1, 12, "unfederated_local_user"),
        new(AuthRules.AuthEventsUnexpected, 1, 12, "auth_events_of_invite", "auth_events_of_invite_12"),
        new(AuthRules.AuthEventsDuplicate, 1, 12, "auth_events_of_invite", "auth_events_of_invite_12"),
        new(AuthRules.AuthEventsRejected, 1, 12, "auth_events_of_message", "auth_events_of_message_12"),
        new(AuthRules.AuthEventsOtherRoom, 1, 12, "auth_events_of_message", "auth_events_of_message_12"),
        new(AuthRules.AuthEventsNoCreate, 1, 11, "auth_events_of_message"),
        new(AuthRules.AliasesStateKey, 1, 5, "aliases_of_own_server"),
        new(AuthRules.MemberStateKey, 1, 12, "join_public"),
        new(AuthRules.MemberMembership, 1, 12, "join_public"),
        new(AuthRules.MemberAuthoriserSignature, 8, 12, "join_restricted_authorised"),
        new(AuthRules.MemberUnknown, 1, 12, "join_public", "ban", "kick", "invite"),
        new(AuthRules.MemberJoinSender, 1, 12, "join_public"),
        new(AuthRules.MemberJoinBanned, 1, 12, "join_public"),
        new(AuthRules.MemberJoinJoinRule, 1, 12, "join_public", "join_invite_rule_invited"),
        new(AuthRules.MemberJoinNotInvited, 1, 12, "join_invite_rule_invited"),
        new(AuthRules.MemberJoinRestricted, 8, 12, "join_restricted_authorised", "join_restricted_invited"),
        new(AuthRules.MemberInviteSenderNotJoined, 1, 12, "invite"),
        new(AuthRules.MemberInviteTarget, 1, 12, "invite"),
        new(AuthRules.MemberInviteLevel, 1, 12, "invite_level_enough"),
        new(AuthRules.MemberLeaveNotInRoom, 1, 12, "leave_joined", "leave_invited"),
        new(AuthRules.MemberLeaveSenderNotJoined, 1, 12, "kick"),
        new(AuthRules.MemberLeaveUnbanLevel, 1, 12, "unban"),
        new(AuthRules.MemberLeaveKickLevel, 1, 12, "kick"),
        new(AuthRules.MemberBanSenderNotJoined, 1, 12, "ban"),
        new(AuthRules.MemberBanLevel, 1, 12, "ban"),
        new(AuthRules.MemberKnockJoinRule, 7, 12, "knock"),
        new(AuthRules.MemberKnockSender, 7, 12, "knock"),
        new(AuthRules.MemberKnockMembership, 7, 12, "knock_again"),
        new(AuthRules.MemberInviteThirdPartyBanned, 1, 12, "third_party_accepted"),
        new(AuthRules.MemberInviteThirdPartySigned, 1, 12, "third_party_accepted"),
        new(AuthRules.MemberInviteThirdPartyMembers, 1, 12, "third_party_accepted"),
        new(AuthRules.MemberInviteThirdPartyMxid, 1, 12, "third_party_accepted"),
        new(AuthRules.MemberInviteThirdPartyToken, 1, 12, "third_party_accepted"),
        new(AuthRules.MemberInviteThirdPartySender, 1, 12, "third_party_accepted_while_sender_left"),
        new(AuthRules.MemberInviteThirdPartySignature, 1, 12, "third_party_accepted_by_second_key"),
        new(AuthRules.SenderNotJoined, 1, 12, "message"),
        new(AuthRules.ThirdPartyInviteLevel, 1, 12, "third_party_invite"),
        new(AuthRules.LevelRequired, 1, 12, "event_level_listed_enough", "state_level_enough"),
        new(AuthRules.StateKeyOtherUser, 1, 12, "state_key_of_self"),
        new(AuthRules.PowerLevelsLevels, 1, 12, "power_levels_ban_within_own"),
        new(AuthRules.PowerLevelsEvents, 1, 12, "power_levels_event_within_own"),
        new(AuthRules.PowerLevelsUsers, 1, 12, "power_levels_user_raised_to_own"),
        new(AuthRules.PowerLevelsCreators, 12, 12, "power_levels_user_raised_to_own"),
        new(AuthRules.PowerLevelsChange, 1, 12, "power_levels_ban_within_own", "power_levels_users_default_within_own"),
        new(AuthRules.PowerLevelsChangeEvents, 1, 12, "power_levels_event_within_own"),
        new(AuthRules.PowerLevelsChangeUser, 1, 12, "power_levels_lower_lowered"),
        new(AuthRules.PowerLevelsRaiseUser, 1, 12, "power_levels_user_raised_to_own"),
        new(AuthRules.RedactionLevel, 1, 2, "redaction_of_own_server", "redaction_of_other_server_by_moderator"),
    ];

    static readonly Dictionary<string, AuthVector> Vectors = 
        AuthVector.Names().ToDictionary(name => Path.GetFileNameWithoutExtension(name), AuthVector.Read);

    public static TheoryData<string> Rules => [.. Table.Select(entry => entry.Rule)];

    [Fact]
    public void The_table_has_every_rule_of_the_library()
    {
        var names = typeof(AuthRules).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (string)field.GetRawConstantValue()!);
        Assert.Equal(names.Order(StringComparer.Ordinal), Table.Select(entry => entry.Rule).Order(StringComparer.Ordinal));
        var unknown = Vectors.Values.Select(vector => vector.Expect).Where(expected => expected != "allow").Except(names);
        Assert.Empty(unknown);
    }

    [Theory, MemberData(nameof(Rules))]
    public void A_rule_is_refused_and_passed_in_each_of_its_versions_and_in_no_other(string rule)
    {
        var entry = Table.Single(entry => entry.Rule == rule);
        var versions = Enumerable.Range(entry.From, entry.To - entry.From + 1).ToList();
        var refused = Vectors.Values.Where(vector => vector.Expect == rule).SelectMany(VersionsOf).Distinct().Order();
        Assert.Equal(versions, refused);
        var passing = entry.Passing.Select(name => Vectors[name]).ToList();
        Assert.All(passing, vector => Assert.Equal("allow", vector.Expect));
        Assert.Empty(versions.Except(passing.SelectMany(VersionsOf)));
    }

    static IEnumerable<int> VersionsOf(AuthVector vector) => Enumerable.Range(vector.From, vector.To - vector.From + 1);

    sealed record Coverage(string Rule, int From, int To, params string[] Passing);
}
