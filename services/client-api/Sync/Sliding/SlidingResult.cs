using Matrix.ClientApi.Sync.Devices;
using Matrix.ClientApi.Sync.Typing;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms.Unread;
using Matrix.Storage;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>An answer before it is written.</summary>
sealed class SlidingResult(LogPosition position, ConnectionState state)
{
    public LogPosition Position { get; } = position;

    /// <summary>What the client has when it has got this.</summary>
    public ConnectionState State { get; set; } = state;

    /// <summary>What may be remembered with it.</summary>
    public Settled? Settled { get; set; }

    /// <summary>Every event in the answer, and those that they show.</summary>
    public EventBatch Events { get; } = new();

    public IReadOnlyDictionary<string, int> Counts { get; set; } = new Dictionary<string, int>();

    /// <summary>A list has become longer or shorter.</summary>
    public bool CountsChanged { get; set; }

    public List<SlidingRoom> Rooms { get; } = [];

    public ExtensionResults Extensions { get; } = new();

    public bool IsEmpty => Rooms.Count == 0 && !CountsChanged && Extensions.IsEmpty;
}

/// <summary>A member that a room without a name is called after.</summary>
sealed record SlidingHero(string UserId, EncodedEvent? Member);

/// <summary>What is told of a room.</summary>
sealed class SlidingRoom(RoomPlan plan)
{
    public RoomPlan Plan => plan;

    public Timeline Timeline { get; set; } = Timeline.Empty;

    /// <summary>How many of the timeline's events happened since the last answer.</summary>
    public int Live { get; set; }

    /// <summary>The timeline begins with events that the client had already.</summary>
    public bool Expanded { get; set; }

    public List<EncodedEvent> State { get; } = [];

    /// <summary>What was taken out of the state.</summary>
    public List<StateKeyPair> Removed { get; } = [];

    public IReadOnlyList<EncodedEvent> Stripped { get; set; } = [];

    /// <summary>The name is told: it may be null.</summary>
    public bool HasName { get; set; }

    public string? Name { get; set; }

    /// <inheritdoc cref="HasName"/>
    public bool HasAvatar { get; set; }

    public string? Avatar { get; set; }

    public IReadOnlyList<SlidingHero>? Heroes { get; set; }

    public RoomCounts? Counts { get; set; }

    public long? Bump { get; set; }

    public UnreadCount? Unread { get; set; }

    public bool IsEmpty => !plan.Initial && plan.View == RoomView.Joined && Timeline.Events.Count == 0 && !Timeline.Limited
        && State.Count + Removed.Count == 0 && Counts is null && !HasName && !HasAvatar && !plan.ChangesDirect;
}

/// <summary>What the extensions bring. Null: nothing.</summary>
sealed class ExtensionResults
{
    /// <summary>What of who is typing the answer holds.</summary>
    public TypingMark TypingMark { get; set; }

    public List<AccountDataItem> GlobalAccountData { get; } = [];

    /// <summary>By room id.</summary>
    public SortedDictionary<string, List<AccountDataItem>> RoomAccountData { get; } = new(StringComparer.Ordinal);

    /// <summary>By room id.</summary>
    public SortedDictionary<string, List<Receipt>> Receipts { get; } = new(StringComparer.Ordinal);

    /// <summary>By room id: who is typing.</summary>
    public SortedDictionary<string, IReadOnlyList<string>> Typing { get; } = new(StringComparer.Ordinal);

    /// <summary>Messages to the device, and how far it has them with this answer; null: they are not asked for.</summary>
    public ToDeviceBatch? ToDevice { get; set; }

    public DeviceListChanges DeviceLists { get; set; } = DeviceListChanges.None;

    public DeviceKeyCounts? KeyCounts { get; set; }

    /// <summary>Subscriptions to threads that changed.</summary>
    public ThreadSubscriptionBatch? Threads { get; set; }

    /// <summary>There is no news. How far the messages go, and the counts of keys, are none.</summary>
    public bool IsEmpty => ToDevice is not { Messages.Count: > 0 } && Threads is null && DeviceLists.IsEmpty && GlobalAccountData.Count + RoomAccountData.Count + Receipts.Count + Typing.Count == 0;
}
