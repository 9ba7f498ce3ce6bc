namespace Matrix.Protocol;

/// <summary>The event types that the protocol itself knows.</summary>
public static class EventTypes
{
    /// <summary>The first event of a room (C-S API, m.room.create).</summary>
    public const string Create = "m.room.create";
    /// <summary>A user's membership of a room (C-S API, m.room.member).</summary>
    public const string Member = "m.room.member";
    /// <summary>Who may do what in a room (C-S API, m.room.power_levels).</summary>
    public const string PowerLevels = "m.room.power_levels";
    /// <summary>Who may join a room (C-S API, m.room.join_rules).</summary>
    public const string JoinRules = "m.room.join_rules";
    /// <summary>An invite to somebody known by mail or the like (C-S API, m.room.third_party_invite).</summary>
    public const string ThirdPartyInvite = "m.room.third_party_invite";
    /// <summary>Who may see the events of a room (C-S API, m.room.history_visibility).</summary>
    public const string HistoryVisibility = "m.room.history_visibility";
    /// <summary>May guests join a room (C-S API, m.room.guest_access)?</summary>
    public const string GuestAccess = "m.room.guest_access";
    /// <summary>How a room is encrypted (C-S API, m.room.encryption).</summary>
    public const string Encryption = "m.room.encryption";
    /// <summary>An encrypted event (C-S API, m.room.encrypted).</summary>
    public const string Encrypted = "m.room.encrypted";
    /// <summary>A message (C-S API, m.room.message).</summary>
    public const string Message = "m.room.message";
    /// <summary>Takes the content of another event away (C-S API, m.room.redaction).</summary>
    public const string Redaction = "m.room.redaction";
    /// <summary>A reaction to an event (C-S API, m.reaction).</summary>
    public const string Reaction = "m.reaction";
    /// <summary>A sticker (C-S API, m.sticker).</summary>
    public const string Sticker = "m.sticker";
    /// <summary>A room's name (C-S API, m.room.name).</summary>
    public const string Name = "m.room.name";
    /// <summary>A room's topic (C-S API, m.room.topic).</summary>
    public const string Topic = "m.room.topic";
    /// <summary>A room's picture (C-S API, m.room.avatar).</summary>
    public const string Avatar = "m.room.avatar";
    /// <summary>A server's aliases of a room, up to room version 5 (C-S API, Historical events).</summary>
    public const string Aliases = "m.room.aliases";
    /// <summary>A room's main alias (C-S API, m.room.canonical_alias).</summary>
    public const string CanonicalAlias = "m.room.canonical_alias";
    /// <summary>The events that a room has pinned (C-S API, m.room.pinned_events).</summary>
    public const string PinnedEvents = "m.room.pinned_events";
    /// <summary>A room was replaced by another (C-S API, m.room.tombstone).</summary>
    public const string Tombstone = "m.room.tombstone";
    /// <summary>Which servers may take part in a room (C-S API, m.room.server_acl).</summary>
    public const string ServerAcl = "m.room.server_acl";
    /// <summary>A room's policy server (C-S API, m.room.policy).</summary>
    public const string Policy = "m.room.policy";
    /// <summary>A room of a space (C-S API, m.space.child).</summary>
    public const string SpaceChild = "m.space.child";
    /// <summary>A space of a room (C-S API, m.space.parent).</summary>
    public const string SpaceParent = "m.space.parent";
    /// <summary>A moderation policy about users (C-S API, m.policy.rule.user).</summary>
    public const string PolicyRuleUser = "m.policy.rule.user";
    /// <summary>A moderation policy about rooms (C-S API, m.policy.rule.room).</summary>
    public const string PolicyRuleRoom = "m.policy.rule.room";
    /// <summary>A moderation policy about servers (C-S API, m.policy.rule.server).</summary>
    public const string PolicyRuleServer = "m.policy.rule.server";
    /// <summary>A user's presence (C-S API, m.presence).</summary>
    public const string Presence = "m.presence";
    /// <summary>Who is typing in a room (C-S API, m.typing).</summary>
    public const string Typing = "m.typing";
    /// <summary>What was read by whom (C-S API, m.receipt).</summary>
    public const string Receipt = "m.receipt";
    /// <summary>Up to where a user has read a room, as account data of the room (C-S API, m.fully_read).</summary>
    public const string FullyRead = "m.fully_read";
    /// <summary>A user's tags of a room, as account data of the room (C-S API, m.tag).</summary>
    public const string Tag = "m.tag";
    /// <summary>A user's direct chats, as account data (C-S API, m.direct).</summary>
    public const string Direct = "m.direct";
    /// <summary>A user's push rules, as account data (C-S API, m.push_rules).</summary>
    public const string PushRules = "m.push_rules";
    /// <summary>Whom a user ignores, as account data (C-S API, m.ignored_user_list).</summary>
    public const string IgnoredUserList = "m.ignored_user_list";
}
