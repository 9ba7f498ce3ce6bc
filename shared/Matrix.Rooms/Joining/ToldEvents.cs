using Matrix.Protocol;
using Matrix.Storage;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Joining;

/// <summary>An event of a room's state as another server told it: what is needed of it once it is stored.</summary>
readonly record struct ToldEvent(EventId EventId, StateKeyPair Key, string? Membership, string Sender, long Depth, string? DisplayName, string? AvatarUrl)
{
    public bool IsMember => Key.Type == EventTypes.Member;
}

/// <summary>
/// The state and the auth chains that another server tells of a room, stored as they come, in the order of their auth chains: of tens of thousands only those are held
/// that cite what has not come yet.
/// </summary>
sealed class ToldEvents(BulkOutliers outliers, Room room)
{
    const int AtOnce = 1000;

    readonly AuthOrder order = new(room);
    readonly Shelf shelf = new(room);
    readonly List<ToldEvent> state = [];
    bool isUnplaced;

    /// <summary>The state before the join, in the order told.</summary>
    public IReadOnlyList<ToldEvent> State => state;

    /// <summary>The number of an event that is stored; null: it was not told, or what it cites is not here.</summary>
    public (long EventNid, bool IsRejected)? Find(EventId id) => shelf.FindStored(id);

    public async Task Add(IEnumerable<Pdu> pdus, bool isState, CancellationToken ct)
    {
        foreach (var pdu in pdus)
        {
            if (isState && pdu.StateKey is { } key)
                state.Add(Light(pdu, key));
            order.Add(pdu);
        }
        if (order.Ready >= AtOnce)
            await Store(ct);
    }

    /// <summary>That was all.</summary>
    public async Task End(CancellationToken ct)
    {
        order.End();
        await Store(ct);
        if (isUnplaced)
            await outliers.Settle(room, ct);
    }

    async Task Store(CancellationToken ct)
    {
        foreach (var some in order.TakeReady().Chunk(AtOnce))
            isUnplaced |= await outliers.StoreSome(shelf, some, ct);
    }

    static ToldEvent Light(Pdu pdu, string key) => pdu.Type != EventTypes.Member
        ? new ToldEvent(pdu.EventId, new StateKeyPair(pdu.Type, key), null, "", pdu.Depth, null, null)
        : new ToldEvent(pdu.EventId, new StateKeyPair(EventTypes.Member, key), pdu.Membership, pdu.Sender.ToString() is var sender && sender == key ? key : sender, pdu.Depth,
            pdu.ContentString("displayname"u8).Storable(), pdu.ContentString("avatar_url"u8).Storable());
}
