namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>As what a room is shown.</summary>
enum RoomView
{
    /// <summary>The user is in it.</summary>
    Joined,

    /// <summary>The user is no longer in it, and sees what there was until then.</summary>
    Left,

    /// <summary>The user is invited or knocks, and sees what strangers are shown.</summary>
    Stripped,
}

/// <summary>A room that belongs into an answer, before anything of it was read.</summary>
/// <param name="Config">What the request asks for.</param>
/// <param name="Sent">What the client has of it; null: nothing.</param>
/// <param name="From">The client has everything up to here; null: it gets the room whole.</param>
/// <param name="UpTo">What comes after this is not for the user, or not yet.</param>
/// <param name="Judged">Whether the user may see an event has to be asked; else everything after <paramref name="From"/> is for the user's eyes.</param>
/// <param name="Lists">The lists that it is in.</param>
sealed record RoomPlan(
    RoomEntry Entry, RoomView View, RoomConfig Config, SentRoom? Sent, long? From, long UpTo, bool Judged, bool IsDirect, IReadOnlyList<string> Lists)
{
    public bool Initial => From is null;

    /// <summary>The user never was in the room: an invite that came to nothing.</summary>
    public bool Outside { get; init; }

    public int TimelineLimit => Config.TimelineLimit;

    /// <summary>What the client follows from now on: whatever it once was sent is kept up to date.</summary>
    public RequiredState State { get; } = Sent is null ? Config.State : Sent.State.Union(Config.State);

    /// <summary>State is wanted that the client was not sent.</summary>
    public bool ExpandsState => !Initial && View == RoomView.Joined && !ReferenceEquals(State, Sent!.State) && !Sent.State.Covers(State);

    /// <summary>More of the timeline is wanted than the client has.</summary>
    public bool ExpandsTimeline => !Initial && View == RoomView.Joined && Config.TimelineLimit > Sent!.TimelineLimit;

    public bool ChangesDirect => !Initial && View != RoomView.Stripped && IsDirect != Sent!.IsDirect;

    public bool HasNews => Initial || View == RoomView.Stripped || Entry.Activity > From || ExpandsState || ExpandsTimeline || ChangesDirect;
}
