namespace Matrix.Protocol;

/// <summary>How event ids come about.</summary>
public enum EventIdFormat
{
    /// <summary>Chosen by the sending server, part of the event: versions 1 and 2.</summary>
    Assigned,

    /// <summary>Reference hash in standard base64: version 3.</summary>
    Hash,

    /// <summary>Reference hash in URL-safe base64: version 4 and later.</summary>
    UrlSafeHash,
}

/// <summary>What counts as a number in <c>m.room.power_levels</c>.</summary>
public enum PowerLevelFormat
{
    /// <summary>Integers, strings of integers, floats (cut off): versions 1 to 5.</summary>
    Floats,

    /// <summary>Integers and strings of integers: versions 6 to 9.</summary>
    Strings,

    /// <summary>Integers: version 10 and later.</summary>
    Integers,
}

/// <summary>Which algorithm resolves conflicting states.</summary>
public enum StateResolutionAlgorithm
{
    /// <summary>Room version 1.</summary>
    V1,
    /// <summary>Room versions 2 to 11.</summary>
    V2,

    /// <summary>The specification's 2.1: version 12.</summary>
    V21,
}

/// <summary>How strictly events keep to canonical JSON.</summary>
public enum JsonRules
{
    /// <summary>Numbers outside of ±(2^53−1), floats and exponents pass unchanged where they have no canonical form: versions 1 to 5.</summary>
    Relaxed,

    /// <summary>Integers in ±(2^53−1) only: version 6 and later.</summary>
    Strict,
}

/// <summary>
/// All that differs between room versions, as data (spec, Room Versions). The algorithms ask these fields and never the version's name.
/// </summary>
public sealed record RoomVersionRules
{
    /// <summary>The version as rooms name it: "1" to "12".</summary>
    public required string Id { get; init; }

    /// <summary>Where event ids come from. Assigned ids also mean that the references to events carry hashes: <c>[id, {"sha256": …}]</c>.</summary>
    public EventIdFormat EventIds { get; init; }

    /// <summary>Is the event id a member of the event, and do <c>prev_events</c> and <c>auth_events</c> list pairs of id and hash?</summary>
    public bool HasAssignedEventIds => EventIds == EventIdFormat.Assigned;

    /// <summary>Is the room id the hash of the create event (which then has no <c>room_id</c>, and is in nobody's <c>auth_events</c>)? Version 12.</summary>
    public bool RoomIdIsCreateHash { get; init; }

    /// <summary>What JSON events are made of.</summary>
    public JsonRules Json { get; init; }

    /// <summary>The greatest depth an event can have; a room that has come so far stays there.</summary>
    public long MaxDepth => Json == JsonRules.Strict ? (1L << 53) - 1 : long.MaxValue;

    /// <summary>What redaction keeps.</summary>
    public required RedactionRules Redaction { get; init; }

    /// <summary>Must the signing key have been valid at <c>origin_server_ts</c>? Version 5.</summary>
    public bool EnforcesKeyValidity { get; init; }

    /// <summary>How conflicts of state are resolved.</summary>
    public StateResolutionAlgorithm StateResolution { get; init; }

    /// <summary>What counts as a power level.</summary>
    public PowerLevelFormat PowerLevels { get; init; }

    /// <summary>Do power events also have to check <c>notifications</c>? Version 6.</summary>
    public bool ChecksNotificationLevels { get; init; }

    /// <summary>Has <c>m.room.aliases</c> its own auth rule? Versions 1 to 5.</summary>
    public bool HasAliasesRule { get; init; }

    /// <summary>Has <c>m.room.redaction</c> its own auth rule? Versions 1 and 2; later the redaction is checked when it is applied.</summary>
    public bool HasRedactionRule { get; init; }

    /// <summary>Knocking: the membership and the join rule <c>knock</c>. Version 7.</summary>
    public bool HasKnocking { get; init; }

    /// <summary>The join rule <c>restricted</c>. Version 8.</summary>
    public bool HasRestrictedJoins { get; init; }

    /// <summary>The join rule <c>knock_restricted</c>. Version 10.</summary>
    public bool HasKnockRestrictedJoins { get; init; }

    /// <summary>Is the creator the sender of the create event rather than its <c>content.creator</c>? Version 11.</summary>
    public bool CreatorIsSender { get; init; }

    /// <summary>Is the target of a redaction in <c>content.redacts</c> rather than at the top level? Version 11.</summary>
    public bool RedactsInContent { get; init; }

    /// <summary>Have the creators (<c>additional_creators</c> included) infinite power, outside of <c>m.room.power_levels</c>? Version 12.</summary>
    public bool HasPrivilegedCreators { get; init; }

    /// <inheritdoc/>
    public override string ToString() => Id;
}
