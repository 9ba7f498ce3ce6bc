namespace Matrix.ClientApi.Sync.Presence;

/// <summary>A user's presence as others are shown it.</summary>
/// <param name="LastActive">Milliseconds since 1970; 0: not known.</param>
sealed record PresenceState(string Presence, string? StatusMessage, long LastActive, bool CurrentlyActive)
{
    public const string Offline = "offline", Unavailable = "unavailable", Online = "online", Busy = "org.matrix.msc3026.busy";

    public static readonly PresenceState None = new(Offline, null, 0, false);

    public static bool IsKnown(string presence) => presence is Offline or Unavailable or Online or Busy;

    /// <summary>Of several devices the one that says most decides.</summary>
    public static int Rank(string presence) => presence switch
    {
        Busy => 3,
        Online => 2,
        Unavailable => 1,
        _ => 0,
    };
}

/// <summary>What of others' presence a client has been told: a number that means something to one process only.</summary>
readonly record struct PresenceMark(string Process, long Number);
