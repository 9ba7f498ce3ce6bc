using Matrix.ClientApi.Sync.Devices;
using Matrix.ClientApi.Sync.Presence;
using Matrix.ClientApi.Sync.Typing;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms.Unread;
using Matrix.Storage;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync;

/// <summary>What a sync request asks for.</summary>
/// <param name="Since">Null: the first sync.</param>
/// <param name="StateAfter">The state is wanted as it is at the end of each timeline, not at its start.</param>
sealed record SyncRequest(
    string UserId, string DeviceId, LogPosition? Since, TypingMark? TypingSince, FilterDefinition Filter, bool FullState, StateAfter StateAfter, TimeSpan Timeout)
{
    /// <summary>How far the device has its messages: as far as <see cref="Since"/>, or less far.</summary>
    public LogPosition? ToDeviceSince { get; init; }

    public PresenceMark? PresenceSince { get; init; }
}

/// <summary>Whether the client asked for state_after, and by which name it looks for it.</summary>
enum StateAfter
{
    No,
    Stable,
    Unstable,
}

/// <summary>An answer before it is written.</summary>
sealed class SyncResult(LogPosition nextBatch)
{
    public LogPosition NextBatch { get; } = nextBatch;

    /// <summary>What of who is typing the answer holds.</summary>
    public TypingMark Typing { get; set; }

    /// <summary>What of others' presence the answer holds.</summary>
    public PresenceMark PresenceMark { get; set; }

    public List<(string UserId, PresenceState State)> Presence { get; } = [];

    /// <summary>Messages to the device, and how far it has them with this answer.</summary>
    public ToDeviceBatch ToDevice { get; set; } = new([], nextBatch, false);

    public DeviceListChanges DeviceLists { get; set; } = DeviceListChanges.None;

    public DeviceKeyCounts KeyCounts { get; set; } = DeviceKeyCounts.None;

    /// <summary>Every event in the answer, and those that they show.</summary>
    public EventBatch Events { get; } = new();

    public List<RoomUpdate> Joined { get; } = [];

    public List<RoomUpdate> Left { get; } = [];

    public List<StrippedRoom> Invited { get; } = [];

    public List<StrippedRoom> Knocked { get; } = [];

    /// <summary>Global account data.</summary>
    public List<AccountDataItem> AccountData { get; } = [];

    /// <summary>The part of a joined room, which is added if it is not there yet.</summary>
    public RoomUpdate GetJoined(UserMembership room)
    {
        var update = Joined.Find(update => update.RoomNid == room.RoomNid);
        if (update is null)
            Joined.Add(update = new RoomUpdate(room.RoomNid, room.RoomId));
        return update;
    }

    /// <summary>There is no news. The counts of keys alone are none.</summary>
    public bool IsEmpty =>
        Joined.Count + Left.Count + Invited.Count + Knocked.Count + AccountData.Count + ToDevice.Messages.Count + Presence.Count == 0 && DeviceLists.IsEmpty;
}

/// <summary>A room as somebody sees it who is not in it.</summary>
sealed record StrippedRoom(string RoomId, IReadOnlyList<EncodedEvent> State);

/// <summary>What changed in a room that the user is or was in.</summary>
sealed class RoomUpdate(long roomNid, string roomId)
{
    public long RoomNid { get; } = roomNid;

    public string RoomId { get; } = roomId;

    public Timeline Timeline { get; set; } = Timeline.Empty;

    public List<EncodedEvent> State { get; } = [];

    public RoomCounts? Counts { get; set; }

    /// <summary>How much is unread, in a joined room.</summary>
    public RoomUnread? Unread { get; set; }

    public List<AccountDataItem> AccountData { get; } = [];

    public List<Receipt> Receipts { get; } = [];

    /// <summary>Who is typing; null when the client knows.</summary>
    public IReadOnlyList<string>? Typing { get; set; }

    public bool IsEmpty => Timeline.Events.Count == 0 && !Timeline.Limited && State.Count == 0 && Counts is null && AccountData.Count + Receipts.Count == 0 && Typing is null;
}

/// <summary>A stretch of a room's timeline, oldest event first.</summary>
/// <param name="Limited">Earlier events of what was asked for are left out.</param>
/// <param name="StartsAfter">The place before the first event: prev_batch.</param>
/// <param name="HiddenState">State events of the stretch that the filter keeps out of it.</param>
sealed record Timeline(IReadOnlyList<EncodedEvent> Events, bool Limited, TimelineEdge StartsAfter, IReadOnlyList<EncodedEvent> HiddenState)
{
    public static readonly Timeline Empty = new([], false, default, []);
}
