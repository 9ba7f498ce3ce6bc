using System.Collections.Frozen;

namespace Matrix.Protocol;

/// <summary>Which keys survive a redaction (spec, Room Versions, Redactions).</summary>
public sealed record RedactionRules
{
    /// <summary>The members of the event that stay.</summary>
    public required FrozenSet<string> Event { get; init; }

    /// <summary>By event type, the members of <c>content</c> that stay; of all other types nothing stays.</summary>
    public required FrozenDictionary<string, FrozenSet<string>> Content { get; init; }

    /// <summary>Does all of the content of <c>m.room.create</c> stay? Version 11.</summary>
    public bool KeepsCreateContent { get; init; }

    /// <summary>Does <c>third_party_invite.signed</c> of <c>m.room.member</c> stay? Version 11.</summary>
    public bool KeepsThirdPartySigned { get; init; }

    static readonly string[] EventV1 =
    [
        "event_id", "type", "room_id", "sender", "state_key", "content", "hashes", "signatures", "depth", "prev_events", "prev_state",
        "auth_events", "origin", "origin_server_ts", "membership",
    ];

    static readonly string[] PowerLevelsV1 =
        ["ban", "events", "events_default", "kick", "redact", "state_default", "users", "users_default"];

    /// <summary>Versions 1 to 5.</summary>
    public static RedactionRules V1 { get; } = new()
    {
        Event = EventV1.ToFrozenSet(),
        Content = new Dictionary<string, FrozenSet<string>>
        {
            [EventTypes.Member] = Keys("membership"),
            [EventTypes.Create] = Keys("creator"),
            [EventTypes.JoinRules] = Keys("join_rule"),
            [EventTypes.PowerLevels] = Keys(PowerLevelsV1),
            [EventTypes.Aliases] = Keys("aliases"),
            [EventTypes.HistoryVisibility] = Keys("history_visibility"),
        }.ToFrozenDictionary(),
    };

    /// <summary>Versions 6 and 7: <c>m.room.aliases</c> means nothing any more.</summary>
    public static RedactionRules V6 { get; } = V1.With(EventTypes.Aliases);

    /// <summary>Version 8 keeps <c>allow</c> of the join rules.</summary>
    public static RedactionRules V8 { get; } = V6.With(EventTypes.JoinRules, "join_rule", "allow");

    /// <summary>Versions 9 and 10 keep who authorised a restricted join.</summary>
    public static RedactionRules V9 { get; } = V8.With(EventTypes.Member, "membership", "join_authorised_via_users_server");

    /// <summary>Version 11 and later.</summary>
    public static RedactionRules V11 { get; } =
        V9.With(EventTypes.PowerLevels, [.. PowerLevelsV1, "invite"]).With(EventTypes.Redaction, "redacts").With(EventTypes.Create) with
        {
            Event = EventV1.Except(["prev_state", "origin", "membership"]).ToFrozenSet(),
            KeepsCreateContent = true,
            KeepsThirdPartySigned = true,
        };

    RedactionRules With(string type, params string[] keys)
    {
        var content = Content.ToDictionary();
        if (keys.Length == 0)
            content.Remove(type);
        else
            content[type] = Keys(keys);
        return this with { Content = content.ToFrozenDictionary() };
    }

    static FrozenSet<string> Keys(params string[] keys) => keys.ToFrozenSet();
}
