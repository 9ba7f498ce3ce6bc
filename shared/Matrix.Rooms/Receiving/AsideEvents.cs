using Matrix.Protocol;
using Matrix.Rooms.Resolution;
using Matrix.Rooms.State;
using Matrix.Rooms.Writing;
using Matrix.Storage.Rooms;
using Npgsql;

namespace Matrix.Rooms.Receiving;

/// <summary>
/// Stores what nobody is told of: outliers, rejected and softly failed events, and states that other servers tell. Nothing of it takes a position of the log.
/// </summary>
sealed class AsideEvents(NpgsqlDataSource db, EventStore events, EventBuilding building, AuthBacklog backlog)
{
    const int MaxAttempts = 10;
    const int NodesAtOnce = 1000;

    /// <summary>Makes sure that these events, which are to be believed, have had their own auth events looked at.</summary>
    public async ValueTask Settle(Room room, IReadOnlyCollection<CitedEvent> cited, CancellationToken ct)
    {
        var placed = await building.AuthIndex.Find([.. cited.Select(c => c.EventNid)], ct);
        if (placed.Count < cited.Count)
            await backlog.Settle(room.RoomNid, ct);
    }

    public async Task Store(Room room, AsideEvent e, StateUpdate before, IReadOnlyCollection<CitedEvent> cited, CancellationToken ct)
    {
        var placement = e.Pdu.StateKey is { } key && !e.WasOutlier ? await building.AuthIndex.Place(e.EventNid, e.Pdu.Type, key, cited, ct) : null;
        IReadOnlyList<StateNode> nodes = before.NewNodes;
        if (e is { Rejected: null, Pdu.StateKey: { } stateKey })
        {
            // others may build on it
            var after = await building.Tree.Set(before.Root, [new StateAssignment(new StateKeyPair(e.Pdu.Type, stateKey), e.EventNid)], ct);
            nodes = [.. nodes, .. after.NewNodes];
        }
        await using var connection = await db.OpenConnectionAsync(ct);
        await using var batch = connection.CreateBatch();
        StateNodeRows.AddInsert(batch, nodes);
        ReceivedRows.AddAside(batch, room.RoomNid, e);
        AddIndex(batch, room, e, placement);
        try
        {
            await batch.ExecuteNonQueryAsync(ct);
        }
        catch (PostgresException failed)
        {
            if (placement is not null && failed.ConstraintName == AuthIndexRows.PlaceConstraint)
                building.AuthIndex.Contested([placement]);
            throw;
        }
    }

    public async Task StoreOutliers(Room room, IReadOnlyCollection<Pdu> pdus, CancellationToken ct)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                await TryStoreOutliers(room, pdus, ct);
                break;
            }
            catch (PostgresException e) when (attempt < MaxAttempts && RoomReceiver.IsAnothersDoing(e))
            {
                // another process stored some of them
            }
        }
        await backlog.Settle(room.RoomNid, ct);
    }

    /// <summary>Stores a state's nodes. Its events have to be here; rejected ones are left out.</summary>
    /// <exception cref="RoomException">Some of its events are not here.</exception>
    public async Task<StateUpdate> StoreState(Room room, IReadOnlyCollection<EventId> state, CancellationToken ct)
    {
        var found = await events.FindInRoom(room.RoomNid, state, ct);
        if (found.Count < state.Distinct().Count())
            throw RoomException.Invalid("Events of the state are missing.");
        await Settle(room, [.. found.Select(e => new CitedEvent(e.EventNid, e.Type, e.StateKey))], ct);
        found = await events.FindInRoom(room.RoomNid, state, ct);
        var placed = await building.AuthIndex.Find([.. found.Select(e => e.EventNid)], ct);
        var assignments = found.Where(e => e.Rejected is null && e.StateKey is not null && placed.ContainsKey(e.EventNid))
            .Select(e => new StateAssignment(new StateKeyPair(e.Type, e.StateKey!), e.EventNid)).ToList();
        var update = await building.Tree.Set(StateTree.Empty, assignments, ct);
        await StoreNodes(update.NewNodes, ct);
        return new StateUpdate(update.Root, []);
    }

    /// <summary>Stores nodes of states before what refers to them: nobody sees them till then.</summary>
    public async Task StoreNodes(IReadOnlyCollection<StateNode> all, CancellationToken ct)
    {
        foreach (var nodes in all.OrderBy(node => node.Id.Value).Chunk(NodesAtOnce))
        {
            await using var connection = await db.OpenConnectionAsync(ct);
            await using var batch = connection.CreateBatch();
            StateNodeRows.AddInsert(batch, nodes);
            await batch.ExecuteNonQueryAsync(ct);
        }
    }

    /// <summary>All begin in the backlog: there they get their place, and are judged, in the order of their auth events.</summary>
    async Task TryStoreOutliers(Room room, IReadOnlyCollection<Pdu> pdus, CancellationToken ct)
    {
        var known = (await events.FindInRoom(room.RoomNid, [.. pdus.Select(pdu => pdu.EventId)], ct)).Select(e => e.EventId).ToHashSet();
        await using var connection = await db.OpenConnectionAsync(ct);
        await using var batch = connection.CreateBatch();
        var stored = new List<long>();
        foreach (var pdu in pdus.Where(pdu => known.Add(pdu.EventId)))
        {
            var nid = await building.Nids.NextEvent(ct);
            ReceivedRows.AddAside(batch, room.RoomNid, new AsideEvent(nid, pdu, null, null, false, false));
            if (pdu.IsState)
                stored.Add(nid);
        }
        AuthIndexRows.AddBacklog(batch, room.RoomNid, [.. stored]);
        if (batch.BatchCommands.Count > 0)
            await batch.ExecuteNonQueryAsync(ct);
    }

    static void AddIndex(NpgsqlBatch batch, Room room, AsideEvent e, AuthPlacement? placement)
    {
        if (placement is not null)
            AuthIndexRows.AddInsert(batch, [placement]);
        else if (e.Pdu.IsState && !e.WasOutlier)
            AuthIndexRows.AddBacklog(batch, room.RoomNid, [e.EventNid]);
    }
}
