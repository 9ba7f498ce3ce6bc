namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>How much of a room is wanted.</summary>
sealed record RoomConfig(int TimelineLimit, RequiredState State)
{
    public RoomConfig Union(RoomConfig other) => new(Math.Max(TimelineLimit, other.TimelineLimit), State.Union(other.State));
}

/// <summary>A list of the request. Ranges are of places in the filtered list, both ends included.</summary>
sealed record ListShape(string Name, IReadOnlyList<ListRange> Ranges, RoomListFilter Filter, RoomConfig Config)
{
    /// <summary>What moves up enters the window, and nothing else does.</summary>
    public bool IsTop => Ranges is [{ From: 0 }];

    public bool Contains(int index)
    {
        foreach (var range in Ranges)
        {
            if (index >= range.From && index <= range.To)
                return true;
        }
        return false;
    }
}

readonly record struct ListRange(int From, int To);

/// <summary>Which rooms belong into a list. Null: no matter.</summary>
sealed record RoomListFilter(
    bool? IsDirect, bool? IsEncrypted, bool? IsInvite, IReadOnlyList<string>? Spaces, IReadOnlyList<string?>? RoomTypes,
    IReadOnlyList<string?>? NotRoomTypes, IReadOnlyList<string>? Tags, IReadOnlyList<string>? NotTags)
{
    public static readonly RoomListFilter None = new(null, null, null, null, null, null, null, null);

    public bool NeedsSummary => IsEncrypted is not null || RoomTypes is not null || NotRoomTypes is not null;
}

/// <summary>Which rooms an extension is about. Null: all lists, all subscriptions.</summary>
sealed record ExtensionScope(bool Enabled, IReadOnlyList<string>? Lists, IReadOnlyList<string>? Rooms)
{
    public static readonly ExtensionScope Off = new(false, null, null);

    /// <summary>Every room that the client was ever sent.</summary>
    public bool IsEverything => Enabled && Lists is null && Rooms is null;
}

/// <param name="ToDevice">How many messages an answer may hold; null: none are wanted.</param>
/// <param name="Threads">How many changes of subscriptions to threads an answer may hold; null: none are wanted.</param>
sealed record ExtensionsShape(
    int? ToDevice, bool E2ee, ExtensionScope AccountData, ExtensionScope Receipts, ExtensionScope Typing, int? Threads)
{
    public static readonly ExtensionsShape None = new(null, false, ExtensionScope.Off, ExtensionScope.Off, ExtensionScope.Off, null);
}

/// <summary>What a client follows: everything of a request but where it stands. Bodies that are equal are one object (<see cref="ShapeCache"/>).</summary>
sealed record SlidingShape(
    string ConnId, IReadOnlyList<ListShape> Lists, IReadOnlyDictionary<string, RoomConfig> Subscriptions, ExtensionsShape Extensions)
{
    public bool HasRooms => Lists.Count > 0 || Subscriptions.Count > 0;

    public bool NeedsSummaries => Lists.Any(list => list.Filter.NeedsSummary);

    public bool OnlyTops => Lists.All(list => list.IsTop);
}
