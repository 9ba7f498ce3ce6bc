namespace Matrix.Rooms.Unread;

/// <summary>What a user's push rules make of an event, as far as it counts.</summary>
public enum Notice : byte
{
    None,
    Notify,

    /// <summary>It notifies, and is highlighted.</summary>
    Highlight,
}

/// <summary>Somebody for whom an event means something else than by the ordinary rules.</summary>
public readonly record struct PersonalNotice(string UserId, Notice Notice);
