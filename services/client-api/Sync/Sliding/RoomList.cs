using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>A room of a user's list as it was at a moment.</summary>
/// <param name="Position">Of the user's newest membership event.</param>
/// <param name="Activity">Of the newest event that the user can have seen.</param>
/// <param name="Kind">Null: not read yet.</param>
sealed record RoomEntry(long RoomNid, string RoomId, string Membership, long EventNid, long Position, long Activity, RoomKind? Kind);

/// <summary>What filters look at.</summary>
sealed record RoomKind(bool Encrypted, string? RoomType);

/// <summary>
/// The rooms of a user, most recently active first. Read from Postgres once, then kept by the log: an event moves its room to the front, which
/// costs the same in a list of any length. Used under <see cref="SyncHub"/>'s lock.
/// </summary>
sealed class RoomList
{
    readonly Dictionary<long, LinkedListNode<RoomEntry>> nodes = [];
    readonly LinkedList<RoomEntry> order = [];
    readonly Dictionary<long, long> early = [];

    /// <summary>Reading from Postgres; null before.</summary>
    public Task? Loaded { get; set; }

    /// <summary>
    /// Grows when anything but activity changes: who belongs into the list, and what filters look at. While it stands, a room can only come up in a
    /// list by its own activity.
    /// </summary>
    public long Version { get; private set; }

    /// <summary>Direct chats and tags; null: they have to be read.</summary>
    public RoomLabels? Labels { get; private set; }

    /// <summary>Grows when <see cref="Labels"/> change.</summary>
    public long LabelsVersion { get; private set; }

    public IEnumerable<RoomEntry> Entries => order;

    public int Count => order.Count;

    public RoomEntry? Find(long room) => nodes.GetValueOrDefault(room)?.Value;

    /// <summary>Takes an entry of the log that concerns the user or one of the rooms that the user is in.</summary>
    public void Follow(LogEntry entry)
    {
        switch (entry)
        {
            case { Kind: LogKind.Event, RoomNid: { } room }:
                Touch(room, entry.Position.Value);
                if (entry.Key == EventTypes.Encryption && nodes.TryGetValue(room, out var node))
                    Change(node, node.Value with { Kind = node.Value.Kind is { } kind ? kind with { Encrypted = true } : null });
                else if (entry.Key == EventTypes.SpaceChild)
                    Version++;
                break;
            case { Kind: LogKind.AccountData, Key: EventTypes.Direct or EventTypes.Tag }:
                Labels = null;
                LabelsVersion++;
                Version++;
                break;
        }
    }

    /// <summary>Takes the user's newest membership of a room.</summary>
    public void Set(UserMembership membership)
    {
        var known = nodes.GetValueOrDefault(membership.RoomNid);
        if (known is not null && known.Value.Position >= membership.Position)
            return;
        var activity = membership.Membership != "join" ? membership.Position
            : Math.Max(membership.Position, early.GetValueOrDefault(membership.RoomNid));
        early.Remove(membership.RoomNid);
        if (known is { Value.Membership: "join" } && membership.Membership == "join")
        {
            // a new name or picture: the room stays what it was
            Place(known.Value with { EventNid = membership.EventNid, Position = membership.Position, Activity = Math.Max(activity, known.Value.Activity) });
            return;
        }
        Version++;
        // Memberships are looked into late: what came after this one is kept for the join that may follow it.
        if (membership.Membership != "join" && known is { Value.Membership: "join" } && known.Value.Activity > membership.Position)
            early[membership.RoomNid] = known.Value.Activity;
        var roomId = membership.RoomId.Length > 0 ? membership.RoomId : known?.Value.RoomId ?? "";
        Place(new RoomEntry(
            membership.RoomNid, roomId, membership.Membership, membership.EventNid, membership.Position, activity, known?.Value.Kind));
    }

    /// <summary>What Postgres had at some moment since this object began to follow.</summary>
    public void Load(IEnumerable<ListedRoom> rooms)
    {
        Version++;
        foreach (var room in rooms.OrderBy(room => room.Activity))
        {
            var kind = new RoomKind(room.Encrypted, room.RoomType);
            if (nodes.TryGetValue(room.RoomNid, out var known) && known.Value.Position >= room.Position)
                Place(known.Value with { Activity = Math.Max(known.Value.Activity, room.Membership == "join" ? room.Activity : 0), Kind = kind });
            else
            {
                var activity = room.Membership == "join" ? Math.Max(room.Activity, early.GetValueOrDefault(room.RoomNid)) : room.Activity;
                Place(new RoomEntry(room.RoomNid, room.RoomId, room.Membership, room.EventNid, room.Position, activity, kind));
                if (room.Membership == "join")
                    early.Remove(room.RoomNid);
            }
        }
    }

    public void SetKinds(IEnumerable<ListedRoomKind> kinds)
    {
        foreach (var kind in kinds)
        {
            if (nodes.TryGetValue(kind.RoomNid, out var node))
                node.Value = node.Value with { Kind = new RoomKind(kind.Encrypted || node.Value.Kind?.Encrypted == true, kind.RoomType) };
        }
    }

    /// <summary>Unless they have changed since they were read.</summary>
    public void SetLabels(RoomLabels labels, long version)
    {
        if (version == LabelsVersion)
            Labels = labels;
    }

    void Touch(long room, long position)
    {
        if (nodes.TryGetValue(room, out var node) && node.Value.Membership == "join")
        {
            if (node.Value.Activity < position)
                Place(node.Value with { Activity = position });
        }
        else
        {
            // the user may have joined, or the list is being read
            early[room] = position;
        }
    }

    void Change(LinkedListNode<RoomEntry> node, RoomEntry entry)
    {
        node.Value = entry;
        Version++;
    }

    // Positions only grow, so the place is at the front or next to it.
    void Place(RoomEntry entry)
    {
        if (nodes.TryGetValue(entry.RoomNid, out var node))
            order.Remove(node);
        else
            nodes.Add(entry.RoomNid, node = new LinkedListNode<RoomEntry>(entry));
        node.Value = entry;
        var next = order.First;
        while (next is not null && next.Value.Activity > entry.Activity)
            next = next.Next;
        if (next is null)
            order.AddLast(node);
        else
            order.AddBefore(next, node);
    }
}
