namespace Matrix.Protocol;

/// <summary>Who may join a room: its <c>m.room.join_rules</c> (C-S API, m.room.join_rules and Restricted rooms).</summary>
public sealed record JoinRules
{
    /// <summary>As the room says, such as <c>public</c>, whether its version knows the rule or not; <c>invite</c> in a room that does not say.</summary>
    public string Rule { get; private init; } = "invite";

    /// <summary>May members of <see cref="AllowedRooms"/> join without an invite?</summary>
    public bool IsRestricted { get; private init; }

    /// <summary>Does the room take knocks?</summary>
    public bool TakesKnocks { get; private init; }

    /// <summary>
    /// The rooms whose members a restricted room lets in. Conditions of other types and those that cannot be read are left out; of rules that are
    /// not restricted there are none.
    /// </summary>
    public IReadOnlyList<RoomId> AllowedRooms { get; private init; } = [];

    /// <summary>The rules of a room.</summary>
    /// <param name="joinRules">The state event, if the room has one.</param>
    public static JoinRules Read(Pdu? joinRules)
    {
        if (joinRules?.ContentString("join_rule"u8) is not { } rule)
            return new JoinRules();
        var rules = joinRules.Rules;
        var isBoth = rule == "knock_restricted" && rules.HasKnockRestrictedJoins;
        var isRestricted = isBoth || (rule == "restricted" && rules.HasRestrictedJoins);
        return new JoinRules
        {
            Rule = rule,
            IsRestricted = isRestricted,
            TakesKnocks = isBoth || (rule == "knock" && rules.HasKnocking),
            AllowedRooms = isRestricted ? ReadAllow(joinRules.ContentJson.Span) : [],
        };
    }

    static List<RoomId> ReadAllow(ReadOnlySpan<byte> content)
    {
        var rooms = new List<RoomId>();
        var allow = JsonObjectReader.Find(content, "allow"u8);
        if (allow.IsEmpty || allow[0] != '[')
            return rooms;
        var reader = new JsonArrayReader(allow);
        while (reader.MoveNext())
            if (reader.Value[0] == '{' && JsonText.ReadString(JsonObjectReader.Find(reader.Value, "type"u8)) == "m.room_membership"
                && RoomId.TryParse(JsonText.ReadString(JsonObjectReader.Find(reader.Value, "room_id"u8)), out var room))
                rooms.Add(room);
        return rooms;
    }
}
