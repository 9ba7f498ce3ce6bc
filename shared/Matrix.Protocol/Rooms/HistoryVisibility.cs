namespace Matrix.Protocol;

/// <summary>The values of <c>m.room.history_visibility</c>.</summary>
public enum HistoryVisibilityValue
{
    /// <summary>By everybody, member or not.</summary>
    WorldReadable,
    /// <summary>By members, whenever they joined.</summary>
    Shared,
    /// <summary>By members from their invite on.</summary>
    Invited,
    /// <summary>By members from their join on.</summary>
    Joined,
}

/// <summary>Who may see which events of a room (C-S API, Room history visibility).</summary>
public static class HistoryVisibility
{
    /// <summary>The value of a state event; <c>shared</c> if there is none or the value is not known.</summary>
    public static HistoryVisibilityValue Read(Pdu? visibility) => Parse(visibility?.ContentString("history_visibility"u8));

    /// <summary>The meaning of <c>content.history_visibility</c>; <c>shared</c> if there is none or it is not known.</summary>
    public static HistoryVisibilityValue Parse(string? value) => value switch
    {
        "world_readable" => HistoryVisibilityValue.WorldReadable,
        "invited" => HistoryVisibilityValue.Invited,
        "joined" => HistoryVisibilityValue.Joined,
        _ => HistoryVisibilityValue.Shared,
    };

    /// <summary>May a user see what was sent under this visibility?</summary>
    /// <param name="membership">The user's membership at the event; null for none.</param>
    /// <param name="joinedSince">Did the user join the room after the event?</param>
    public static bool CanSee(HistoryVisibilityValue visibility, string? membership, bool joinedSince) => visibility switch
    {
        _ when membership == "join" => true,
        HistoryVisibilityValue.WorldReadable => true,
        HistoryVisibilityValue.Shared => joinedSince,
        HistoryVisibilityValue.Invited => membership == "invite",
        _ => false,
    };

    /// <summary>
    /// May <paramref name="user"/> see this event? Visibility events and the user's own memberships count by the state before or after them,
    /// whichever shows more.
    /// </summary>
    /// <param name="visibilityBefore">The <c>m.room.history_visibility</c> in the state before the event.</param>
    /// <param name="membershipBefore">The user's <c>m.room.member</c> in the state before the event.</param>
    /// <param name="joinedSince">Did the user join the room after the event?</param>
    public static bool CanSee(Pdu pdu, UserId user, Pdu? visibilityBefore, Pdu? membershipBefore, bool joinedSince)
    {
        var (visibility, membership) = (Read(visibilityBefore), membershipBefore?.Membership);
        if (CanSee(visibility, membership, joinedSince))
            return true;
        if (pdu.Type == EventTypes.HistoryVisibility && pdu.StateKey == "")
            return CanSee(Read(pdu), membership, joinedSince);
        return pdu.Type == EventTypes.Member && pdu.StateKey == user.ToString() && CanSee(visibility, pdu.Membership, joinedSince);
    }
}
