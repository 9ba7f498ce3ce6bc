using System.Collections.Frozen;

namespace Matrix.Protocol;

/// <summary>The room versions of the specification, each derived from the one before.</summary>
public static class RoomVersions
{
    /// <summary>Event ids chosen by servers, relaxed JSON, state resolution 1.</summary>
    public static RoomVersionRules V1 { get; } = new()
    {
        Id = "1",
        EventIds = EventIdFormat.Assigned,
        Json = JsonRules.Relaxed,
        Redaction = RedactionRules.V1,
        StateResolution = StateResolutionAlgorithm.V1,
        PowerLevels = PowerLevelFormat.Floats,
        HasAliasesRule = true,
        HasRedactionRule = true,
    };

    /// <summary>State resolution 2.</summary>
    public static RoomVersionRules V2 { get; } = V1 with { Id = "2", StateResolution = StateResolutionAlgorithm.V2 };

    /// <summary>Event ids are reference hashes; redactions are checked when they are applied.</summary>
    public static RoomVersionRules V3 { get; } = V2 with { Id = "3", EventIds = EventIdFormat.Hash, HasRedactionRule = false };

    /// <summary>Event ids in URL-safe base64.</summary>
    public static RoomVersionRules V4 { get; } = V3 with { Id = "4", EventIds = EventIdFormat.UrlSafeHash };

    /// <summary>Signing keys must have been valid when the event was made.</summary>
    public static RoomVersionRules V5 { get; } = V4 with { Id = "5", EnforcesKeyValidity = true };

    /// <summary>Strict JSON; <c>m.room.aliases</c> loses its rules; levels of notifications are checked.</summary>
    public static RoomVersionRules V6 { get; } = V5 with
    {
        Id = "6",
        Json = JsonRules.Strict,
        Redaction = RedactionRules.V6,
        PowerLevels = PowerLevelFormat.Strings,
        HasAliasesRule = false,
        ChecksNotificationLevels = true,
    };

    /// <summary>Knocking.</summary>
    public static RoomVersionRules V7 { get; } = V6 with { Id = "7", HasKnocking = true };

    /// <summary>Restricted joins.</summary>
    public static RoomVersionRules V8 { get; } = V7 with { Id = "8", Redaction = RedactionRules.V8, HasRestrictedJoins = true };

    /// <summary>Redaction keeps who authorised a restricted join.</summary>
    public static RoomVersionRules V9 { get; } = V8 with { Id = "9", Redaction = RedactionRules.V9 };

    /// <summary>Power levels are integers; knocking and restricted joins together.</summary>
    public static RoomVersionRules V10 { get; } = V9 with
    {
        Id = "10",
        PowerLevels = PowerLevelFormat.Integers,
        HasKnockRestrictedJoins = true,
    };

    /// <summary>The creator is the sender; redactions name their target in the content; redaction keeps more.</summary>
    public static RoomVersionRules V11 { get; } = V10 with
    {
        Id = "11",
        Redaction = RedactionRules.V11,
        CreatorIsSender = true,
        RedactsInContent = true,
    };

    /// <summary>Room ids are hashes of create events, creators have infinite power, state resolution 2.1.</summary>
    public static RoomVersionRules V12 { get; } = V11 with
    {
        Id = "12",
        RoomIdIsCreateHash = true,
        HasPrivilegedCreators = true,
        StateResolution = StateResolutionAlgorithm.V21,
    };

    /// <summary>Every version, oldest first. All are stable.</summary>
    public static IReadOnlyList<RoomVersionRules> All { get; } = [V1, V2, V3, V4, V5, V6, V7, V8, V9, V10, V11, V12];

    /// <summary>The version that the specification recommends for new rooms.</summary>
    public static RoomVersionRules Recommended => V12;

    static readonly FrozenDictionary<string, RoomVersionRules> ById = All.ToFrozenDictionary(rules => rules.Id);

    /// <summary>The rules of this version; null if it is not known.</summary>
    public static RoomVersionRules? Find(string id) => ById.GetValueOrDefault(id);
}
