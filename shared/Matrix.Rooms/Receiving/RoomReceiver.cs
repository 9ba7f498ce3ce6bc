using System.Runtime.CompilerServices;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms.Joining;
using Matrix.Rooms.Policy;
using Matrix.Rooms.Receiving;
using Matrix.Rooms.Resolution;
using Matrix.Rooms.State;
using Matrix.Rooms.Writing;
using Matrix.Storage;
using Matrix.Storage.Rooms;
using Npgsql;

namespace Matrix.Rooms;

/// <summary>
/// Takes in events of other servers, whose signatures and hashes are checked already, wherever in the room they belong (Server-Server API, Checks performed
/// on receipt of a PDU, from 4 on).
/// </summary>
public sealed class RoomReceiver
{
    /// <summary>Each failed try means that another writer stored what this one came upon.</summary>
    const int MaxAttempts = 10;

    /// <summary>As many as a transaction may have: what is planned for them holds up others who write in the room for milliseconds.</summary>
    const int MostAtOnce = 50;

    readonly RoomWriter writer;
    readonly EventBuilding building;
    readonly EventStore events;
    readonly RoomStore store;
    readonly AsideEvents aside;
    readonly TimelineGapStore gaps;

    internal RoomReceiver(RoomWriter writer, EventBuilding building, EventStore events, RoomStore store, AsideEvents aside, TimelineGapStore gaps) =>
        (this.writer, this.building, this.events, this.store, this.aside, this.gaps) = (writer, building, events, store, aside, gaps);

    /// <summary>Makes a room of other servers known, with nothing in it: its first event is received with the state before it.</summary>
    public async Task<Room> AddRoom(RoomId roomId, RoomVersionRules rules, CancellationToken ct)
    {
        await store.InsertEmpty(new Room(await building.Nids.NextRoom(ct), roomId, rules), StateTree.Empty, ct);
        return (await store.Find(roomId, ct))!;
    }

    /// <summary>Makes an event part of the room, or finds out why it cannot be.</summary>
    /// <exception cref="PartialRoomException">Who is in the room is not known yet.</exception>
    /// <param name="stateBefore">
    /// The state before the event, as another server tells it, for an event some of whose prev events are not here. Its events have to be here, if only
    /// as outliers.
    /// </param>
    /// <param name="relay">
    /// It came as a join, leave or knock at this server, which then tells the other servers of the room. Its sender's server alone is not told.
    /// </param>
    public async Task<ReceivedEvent> Receive(Room room, Pdu pdu, IReadOnlyCollection<EventId>? stateBefore, CancellationToken ct, bool relay = false)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await TryReceive(room, pdu, stateBefore, relay, ct);
            }
            catch (PostgresException e) when (attempt < MaxAttempts && IsAnothersDoing(e))
            {
                // another process stored it, or an event that it cites the same predecessor with
            }
        }
    }

    /// <summary>
    /// Takes events of one room in their order, as <see cref="Receive"/> would one by one; what simply continues the room is taken in one change of the log. It
    /// ends after the first that lacks something.
    /// </summary>
    /// <returns>What became of them: of some at a time, each time when these are stored.</returns>
    public async IAsyncEnumerable<IReadOnlyList<ReceivedEvent>> ReceiveAll(
        Room room, IReadOnlyList<Pdu> pdus, [EnumeratorCancellation] CancellationToken ct)
    {
        // what cannot be taken together is not tried to be with each event anew
        var atOnce = MostAtOnce;
        for (var done = 0; done < pdus.Count;)
        {
            var some = await TakeTogether(room, [.. pdus.Skip(done).Take(atOnce)], ct);
            atOnce = some.Count == 0 ? 2 : Math.Min(MostAtOnce, atOnce * 2);
            if (some.Count == 0)
                some = [await Receive(room, pdus[done], null, ct)];
            done += some.Count;
            yield return some;
            if (some[^1].Reception is Reception.MissingAuthEvents or Reception.MissingPrevEvents)
                yield break;
        }
    }

    async Task<IReadOnlyList<ReceivedEvent>> TakeTogether(Room room, IReadOnlyList<Pdu> pdus, CancellationToken ct)
    {
        try
        {
            return await EventRun.Take(writer, building, room, pdus, ct);
        }
        catch (Exception e) when (e is PostgresException or RoomException or InvalidDataException or KeyNotFoundException && !DatabaseOutage.IsOne(e))
        {
            // one of them may be what another process is storing, or what cannot be stored: taken one by one, each says for itself
            return [];
        }
    }

    /// <summary>
    /// Keeps events that others cite, outside of the room's timeline and state. They may come in any order; one whose own auth events have not come counts
    /// only when they have.
    /// </summary>
    public Task StoreOutliers(Room room, IReadOnlyCollection<Pdu> pdus, CancellationToken ct) => aside.StoreOutliers(room, pdus, ct);

    internal static bool IsAnothersDoing(PostgresException e) =>
        e.ConstraintName is "events_event_id_key" or AuthIndexRows.PlaceConstraint or "event_edges_pkey" or "auth_index_pkey";

    async Task<ReceivedEvent> TryReceive(Room room, Pdu pdu, IReadOnlyCollection<EventId>? stateBefore, bool relay, CancellationToken ct)
    {
        var around = await EventSurroundings.Load(events, room, pdu, ct);
        if (around.Known is { } known && (!around.IsOutlier || known.Rejected is not null))
            return ReceivedEvent.Past(known);
        if (around.MissingAuth is { Count: > 0 } missingAuth)
            return new ReceivedEvent(pdu.EventId, Reception.MissingAuthEvents, LogPosition.Start, Missing: missingAuth);
        if (stateBefore is null && (IReadOnlyList<EventId>)[.. around.MissingPrev, .. around.HalfKnownPrev] is { Count: > 0 } missingPrev)
            return new ReceivedEvent(pdu.EventId, Reception.MissingPrevEvents, LogPosition.Start, Missing: missingPrev);

        // nobody knows yet what the state there is
        if (around.Prev.Any(prev => prev.IsTentative))
            throw new PartialRoomException();
        await aside.Settle(room, around.Cited, ct);
        var before = stateBefore is null ? await StateBefore(around, ct) : await aside.StoreState(room, stateBefore, ct);
        var nid = around.Known?.EventNid ?? await building.Nids.NextEvent(ct);
        var allowed = around.CheckByAuthEvents();
        if (allowed.Allowed)
            allowed = await around.CheckIn(before.Root, building.StateEvents, ct);
        if (!allowed.Allowed)
        {
            await aside.Store(room, new AsideEvent(nid, pdu, before.Root, allowed.Reason ?? "The rules do not allow it.", false, around.IsOutlier), before, around.Cited, ct);
            return new ReceivedEvent(pdu.EventId, Reception.Rejected, LogPosition.Start, allowed.Reason);
        }
        return await Write(around, nid, before, relay, ct);
    }

    /// <param name="isRefused">The room's policy server does not want it; null: it has not been asked, only its signature is looked at.</param>
    async Task<ReceivedEvent> Write(EventSurroundings around, long nid, StateUpdate before, bool relay, CancellationToken ct, bool? isRefused = null)
    {
        var (room, pdu) = (around.Room, around.Pdu);
        RoomPolicy? unsigned = null;
        var redactions = new ReceivedRedactions(events, building.StateEvents, room);
        var received = new ReceivedPdu(nid, pdu, before, around.Cited, await around.FindFollowed(events, ct), around.IsOutlier, around.MissingPrev,
            await redactions.FindTarget(around, before.Root, ct), await redactions.FindDue(pdu, ct))
        {
            IsRelayed = relay,
            Skips = around.MissingPrev is { Count: > 0 } missing ? await gaps.CountPlaces(room.RoomNid, pdu.Depth, missing, ct) : 0,
        };
        var outcome = Reception.Accepted;
        var sent = await writer.Write(room, async (chain, token) =>
        {
            var place = await events.FindPlace(pdu.EventId, token);
            // the first event that a server hears of a room finds no state that it could contradict
            outcome = place.IsPlaced ? Reception.Rejected
                : isRefused != true && (chain.Head.Extremities.Count == 0 || (await around.CheckIn(chain.StateRoot, building.StateEvents, token)).Allowed) ? Reception.Accepted
                : Reception.SoftFailed;
            unsigned = outcome == Reception.Accepted && isRefused is null && await chain.Policy(pdu, token) is { } policy && !policy.HasSigned(pdu) ? policy : null;
            if (outcome == Reception.Accepted && unsigned is null)
                await chain.Take(received, !place.IsBuiltOn, token);
            return pdu.EventId;
        }, null, ct, alone: true, InPartialRoom.IsRefused);
        if (unsigned is not null)
        {
            var signed = await TrySign(unsigned, pdu, ct);
            return await Write(signed is null ? around : around.With(signed), nid, before, relay, ct, isRefused: signed is null);
        }
        if (outcome == Reception.Rejected)
            return ReceivedEvent.Past((await events.FindByEventId(pdu.EventId, ct))!);
        if (outcome == Reception.SoftFailed)
            await aside.Store(room, new AsideEvent(nid, pdu, before.Root, null, true, around.IsOutlier), before, around.Cited, ct);
        return new ReceivedEvent(pdu.EventId, outcome, sent.Position);
    }

    /// <summary>Null: the room's policy server refuses it, or does not answer. Then it fails softly (Server-Server API, Validating Policy Server signatures).</summary>
    async Task<Pdu?> TrySign(RoomPolicy policy, Pdu pdu, CancellationToken ct)
    {
        try
        {
            return await building.Policies.Sign(policy, pdu, ct);
        }
        catch (RoomException)
        {
            return null;
        }
    }

    async ValueTask<StateUpdate> StateBefore(EventSurroundings around, CancellationToken ct)
    {
        if (around.Pdu.PrevEvents.Count == 0)
            return new StateUpdate(StateTree.Empty, []);
        var states = new List<StateNodeId>();
        foreach (var prev in around.Prev)
            states.Add(await building.EventStates.After(prev, ct));
        return await building.Resolver.Resolve(around.Room, states, StateResolver.NothingPending, ct);
    }
}
