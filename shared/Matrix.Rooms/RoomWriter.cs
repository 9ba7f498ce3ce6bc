using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms.Joining;
using Matrix.Rooms.Unread;
using Matrix.Rooms.Writing;
using Matrix.Storage.Rooms;
using Npgsql;

namespace Matrix.Rooms;

/// <summary>Decides under a head what to write: adds events to the chain, or adds none and names the event that stands already.</summary>
delegate ValueTask<EventId> EventPlan(EventChain chain, CancellationToken ct);

/// <summary>What becomes of a plan in a room whose members are not known yet.</summary>
enum InPartialRoom
{
    /// <summary>It is made when they are.</summary>
    Waits,

    /// <summary>It is for the caller to try again.</summary>
    IsRefused,

    /// <summary>It looks at nobody's membership but that of the user who acts, who is known to be in the room.</summary>
    IsDone,
}

/// <summary>
/// Writes events: builds them on the room's head, authorises them, and appends them to the log. If another writer was first, in this process or in
/// another, they are built again on the new head.
/// </summary>
public sealed class RoomWriter
{
    /// <summary>Every failed try means that another writer got through, so even a hot room moves on.</summary>
    const int MaxAttempts = 30;

    readonly RoomFinder rooms;
    readonly RoomHeads heads;
    readonly EventBuilding building;
    readonly EventStore events;
    readonly EventNotices notices;
    readonly PartialRooms partial;
    readonly WrittenEvents written;

    internal RoomWriter(
        RoomFinder rooms, RoomHeads heads, EventBuilding building, EventStore events, EventNotices notices, PartialRooms partial, WrittenEvents written) =>
        (this.rooms, this.heads, this.building, this.events, this.notices, this.partial, this.written) =
        (rooms, heads, building, events, notices, partial, written);

    /// <summary>
    /// Sends one event. A transaction id that the device has used in this room before gives the event of the first time; a state event that changes nothing
    /// gives the one that stands.
    /// </summary>
    /// <exception cref="RoomException">The room does not exist, or does not allow it.</exception>
    public async Task<SentEvent> Send(RoomId roomId, EventDraft draft, TransactionId? transaction, CancellationToken ct)
    {
        var room = await rooms.Get(roomId, ct);
        var isRedaction = draft.Type == EventTypes.Redaction && draft.StateKey is null;
        if (isRedaction)
            draft = RedactionCheck.Place(draft, room.Rules);
        return await Write(room, async (chain, token) =>
        {
            if (await chain.FindSame(draft, token) is { } same)
                return same.EventId;
            var redacted = isRedaction
                ? await new RedactionCheck(events, chain).Demand(draft, token) : null;
            return (await chain.Add(draft, token, redacted)).EventId;
        }, transaction, ct, inPartial: draft.StateKey is null ? InPartialRoom.IsDone : InPartialRoom.Waits);
    }

    /// <summary>Writes what the plan decides. It is asked again whenever the head has moved.</summary>
    /// <param name="alone">Plan only on what is committed.</param>
    internal async Task<SentEvent> Write(
        Room room, EventPlan plan, TransactionId? transaction, CancellationToken ct, bool alone = false, InPartialRoom inPartial = InPartialRoom.Waits)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            try
            {
                return await await Start(room, plan, transaction, alone, inPartial, ct);
            }
            catch (PartialRoomException) when (inPartial == InPartialRoom.Waits)
            {
                await partial.UntilWhole(room.RoomNid, ct);
            }
            catch (HeadMovedException)
            {
                // another writer was first, or what it was built on has failed
            }
            catch (OperationCanceledException) when (!ct.IsCancellationRequested)
            {
                // whoever sent the same transaction has gone away
            }
            catch (RoomException) when (transaction is not null)
            {
                // what is forbidden now may have been done already
                if (await Repeated(room, transaction.Value, ct) is { } first)
                    return first;
                throw;
            }
            catch (PostgresException e) when (e.ConstraintName == AuthIndexRows.PlaceConstraint)
            {
                // another event has gone on the same auth chain: this one begins its own
            }
            catch (PostgresException e) when (transaction is not null && e.ConstraintName == "event_transactions_pkey")
            {
                return await Repeated(room, transaction.Value, ct)
                    ?? throw new InvalidDataException($"Transaction {transaction.Value.TxnId} is taken, and by no event.");
            }
            catch (PostgresException e) when (RelationChanges.Refusal(e) is { } refusal)
            {
                throw refusal;
            }
        }
        throw RoomException.TooBusy();
    }

    /// <summary>Plans, and hands what is planned over to the log: while it is being committed, others may plan on it.</summary>
    async ValueTask<Task<SentEvent>> Start(Room room, EventPlan plan, TransactionId? transaction, bool alone, InPartialRoom inPartial, CancellationToken ct)
    {
        using var seat = await heads.Enter(room.RoomNid, ct);
        if (transaction is { } txn && seat.FindUnderway(txn) is { } first)
            return first;
        while (true)
        {
            var head = await seat.Head(ct);
            if (alone || head.Extremities.Count > 1)
            {
                // resolving states asks the database about the events that they are made of
                await seat.Settle(ct);
                head = await seat.Head(ct);
            }
            if (head.IsPartial && inPartial != InPartialRoom.IsDone)
            {
                if (!seat.MayBeStale)
                    throw new PartialRoomException();
                seat.Forget();
                continue;
            }
            var chain = new EventChain(building, room, head);
            try
            {
                var eventId = await plan(chain, ct);
                if (chain.Events.Count > 0)
                    return await seat.Post(chain, eventId, new EventsChange(chain, await notices.Of(chain, ct), transaction, written: written), transaction, ct);
                if (!seat.MayBeStale)
                    return Task.FromResult(new SentEvent(eventId, LogPosition.Start));
            }
            catch (Exception e) when (seat.MayBeStale && e is RoomException or InvalidDataException or KeyNotFoundException)
            {
                // what an old head forbids, the new one may allow; and what is not committed yet a small cache may have lost
            }
            seat.Forget();
        }
    }

    /// <summary>Writes the first events of a new room.</summary>
    internal async Task<LogPosition> Create(EventChain chain, NewRoom room, CancellationToken ct)
    {
        try
        {
            using var seat = await heads.Enter(chain.Room.RoomNid, ct);
            var change = new EventsChange(chain, await notices.Of(chain, ct), null, room, written);
            var sent = await await seat.Post(chain, chain.Events[^1].Pdu.EventId, change, null, ct);
            rooms.Add(chain.Room);
            return sent.Position;
        }
        catch (PostgresException e) when (e.ConstraintName == "room_aliases_pkey")
        {
            throw RoomException.AliasTaken(room.Aliases[0]);
        }
    }

    /// <summary>An empty chain for a room that does not exist yet.</summary>
    /// <param name="roomId">Null in room versions in which the create event gives the id.</param>
    internal async ValueTask<EventChain> Begin(RoomId? roomId, RoomVersionRules rules, CancellationToken ct)
    {
        var room = new Room(await building.Nids.NextRoom(ct), roomId ?? default, rules);
        return new EventChain(building, room, new RoomHead(0, [], State.StateTree.Empty, 0, 0));
    }

    async Task<SentEvent?> Repeated(Room room, TransactionId txn, CancellationToken ct) =>
        await events.FindTransaction(txn.UserId, txn.DeviceId, room.RoomNid, txn.TxnId, txn.Endpoint, ct) is var (eventId, _)
            ? new SentEvent(eventId, LogPosition.Start)
            : null;
}
