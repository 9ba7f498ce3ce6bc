namespace Matrix.Rooms.Ephemeral;

/// <summary>What one process, or another server, knows of a user.</summary>
/// <param name="Wish">What the user's devices there ask to be shown; offline when there is none.</param>
/// <param name="StatusAt">When the status message was set: of several the latest counts.</param>
public sealed record PresenceFact(string UserId, string Wish, string? StatusMessage, long StatusAt, long LastActive);

/// <summary>What processes tell each other of who is there (<see cref="Replication.EphemeralChannel"/>).</summary>
/// <param name="Process">That of another server begins with <see cref="OfServer"/>: it need not be heard of all the time.</param>
/// <param name="IsNew">The process has just begun: it wants to be told everything.</param>
public sealed record PresenceNews(string Kind, string Process, bool IsNew, PresenceFact[] Facts)
{
    public const string KindName = "presence", OfServer = "@";
}

/// <summary>A user of this server as others are shown the user.</summary>
/// <param name="LastActive">Milliseconds since 1970; 0: not known.</param>
public sealed record ShownPresence(string UserId, string Presence, string? StatusMessage, long LastActive, bool CurrentlyActive);

/// <summary>The presence of users of this server changed: for who tells other servers.</summary>
/// <param name="IsAgain">It did not change: somebody has asked who has just begun, and is to know it.</param>
public sealed record PresenceShown(string Kind, ShownPresence[] Users, bool IsAgain = false)
{
    public const string KindName = "presence-shown";
}
