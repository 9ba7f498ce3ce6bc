using Matrix.Protocol;
using Matrix.Rooms.Resolution;
using Matrix.Rooms.Writing;
using Matrix.Storage;
using Matrix.Storage.Rooms;
using Npgsql;

namespace Matrix.Rooms.Joining;

/// <summary>
/// Stores the events of a room that is being joined, tens of thousands of them: in the order of their auth chains, each judged by the events that it
/// cites and given its place in the auth index at once. Nobody sees them before a state names them.
/// </summary>
sealed class BulkOutliers(NpgsqlDataSource db, EventStore events, EventBuilding building, AuthBacklog backlog)
{
    const int MaxAttempts = 10;

    /// <summary>Begins with the events of a room, which are given as they come.</summary>
    public ToldEvents Begin(Room room) => new(this, room);

    /// <summary>Judges those that lacked what they cite, as far as it has come.</summary>
    public async Task Settle(Room room, CancellationToken ct) => await backlog.Settle(room.RoomNid, ct);

    /// <summary>Stores these, which come after those that they cite.</summary>
    /// <returns>Do some of them cite what is not here?</returns>
    public async Task<bool> StoreSome(Shelf shelf, IReadOnlyList<Pdu> pdus, CancellationToken ct)
    {
        for (var attempt = 0; ; attempt++)
        {
            shelf.Trim();
            var known = (await events.ListNumbered(shelf.Room.RoomNid, [.. pdus.Select(pdu => pdu.EventId)], ct)).ToDictionary(k => EventId.Parse(k.EventId));
            var missing = pdus.SelectMany(pdu => pdu.AuthEvents).Where(id => shelf.Find(id) is null && !known.ContainsKey(id)).ToHashSet();
            missing.ExceptWith(pdus.Select(pdu => pdu.EventId));
            if (shelf.Room.Rules.RoomIdIsCreateHash && shelf.Room.RoomId.CreateEventId is { } create && shelf.Find(create) is null)
                missing.Add(create);
            foreach (var stored in await events.FindInRoom(shelf.Room.RoomNid, missing, ct))
                shelf.Cite(new ShelvedEvent(stored.EventNid, Pdu.FromStored(stored.EventId, stored.Json, stored.Rules), stored.Rejected is not null));
            var chunk = new Chunk(shelf, known);
            foreach (var pdu in pdus)
                await chunk.Add(pdu, building, ct);
            try
            {
                await Insert(chunk, ct);
                shelf.Take(chunk.Stored);
                return chunk.Unplaced.Count > 0;
            }
            catch (PostgresException e) when (attempt < MaxAttempts && RoomReceiver.IsAnothersDoing(e))
            {
                // another process stored some of them, or something in their places of the index
                building.AuthIndex.Forget(chunk.Placements.Select(p => p.Node.EventNid));
                if (e.ConstraintName == AuthIndexRows.PlaceConstraint)
                    building.AuthIndex.Contested(chunk.Placements);
            }
        }
    }

    async Task Insert(Chunk chunk, CancellationToken ct)
    {
        await using var connection = await db.OpenConnectionAsync(ct);
        await using var tx = await connection.BeginTransactionAsync(ct);
        await using var batch = new NpgsqlBatch(connection, tx);
        InsertEvents(batch, chunk);
        AuthIndexRows.AddInsert(batch, chunk.Placements);
        AuthIndexRows.AddBacklog(batch, chunk.Shelf.Room.RoomNid, [.. chunk.Unplaced]);
        if (chunk.Settled.Count > 0)
            batch.Add("DELETE FROM auth_backlog WHERE room_nid = $1 AND event_nid = ANY($2)", chunk.Shelf.Room.RoomNid, chunk.Settled.ToArray());
        foreach (var (nid, reason) in chunk.NewlyRejected)
            batch.Add("UPDATE events SET rejected = $2 WHERE event_nid = $1 AND state_before IS NULL", nid, reason.Storable());
        if (batch.BatchCommands.Count > 0)
            await batch.ExecuteNonQueryAsync(ct);
        await tx.CommitAsync(ct);
    }

    static void InsertEvents(NpgsqlBatch batch, Chunk chunk)
    {
        if (chunk.New.Count == 0)
            return;
        var rows = chunk.New;
        var command = batch.Add(
            """
            INSERT INTO events (room_nid, event_nid, event_id, depth, type, state_key, sender, origin_server_ts, rejected, json)
            SELECT $1, e.* FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10)
                AS e (event_nid, event_id, depth, type, state_key, sender, ts, rejected, json)
            """,
            chunk.Shelf.Room.RoomNid, rows.Select(r => r.Event.EventNid).ToArray(), rows.Select(r => r.Event.Pdu.EventId.ToString()).ToArray(),
            rows.Select(r => r.Event.Pdu.Depth).ToArray(), rows.Select(r => r.Event.Pdu.Type).ToArray(), rows.Select(r => r.Event.Pdu.StateKey).ToArray(),
            rows.Select(r => r.Event.Pdu.Sender.ToString()).ToArray(), rows.Select(r => r.Event.Pdu.OriginServerTs).ToArray(),
            rows.Select(r => r.Rejected.Storable()).ToArray());
        command.AddBytes([.. rows.Select(r => r.Event.Pdu.Json.ToArray())]);
    }

    /// <summary>What one round trip stores.</summary>
    sealed class Chunk(Shelf shelf, Dictionary<EventId, KnownEvent> known)
    {
        readonly Dictionary<EventId, ShelvedEvent> here = [];
        readonly HashSet<AuthPlace> places = [];

        public Shelf Shelf => shelf;

        public IEnumerable<ShelvedEvent> Stored => here.Values;

        public List<(ShelvedEvent Event, string? Rejected)> New { get; } = [];

        public List<AuthPlacement> Placements { get; } = [];

        public List<long> Unplaced { get; } = [];

        public List<long> Settled { get; } = [];

        public List<(long EventNid, string Reason)> NewlyRejected { get; } = [];

        public async ValueTask Add(Pdu pdu, EventBuilding building, CancellationToken ct)
        {
            var before = known.GetValueOrDefault(pdu.EventId);
            var nid = before?.EventNid ?? await building.Nids.NextEvent(ct);
            if (before is { IsPlaced: true })
            {
                here[pdu.EventId] = new ShelvedEvent(nid, pdu, before.IsRejected);
                return;
            }
            var cited = pdu.AuthEvents.Distinct().Select(Find).ToList();
            var isComplete = cited.All(c => c is not null);
            var reason = isComplete ? Judge(pdu, [.. cited.OfType<ShelvedEvent>()]) : null;
            var shelved = new ShelvedEvent(nid, pdu, before?.IsRejected ?? reason is not null);
            if (before is null)
                New.Add((shelved, reason));
            else if (reason is not null && !before.IsRejected)
                NewlyRejected.Add((nid, reason));
            if (!pdu.IsState)
                return;
            if (isComplete && await Place(pdu, nid, [.. cited.OfType<ShelvedEvent>()], building, ct))
            {
                here[pdu.EventId] = shelved;
                if (before is not null)
                    Settled.Add(nid);
            }
            else
                Unplaced.Add(nid);
        }

        async ValueTask<bool> Place(Pdu pdu, long nid, IReadOnlyList<ShelvedEvent> cited, EventBuilding building, CancellationToken ct)
        {
            CitedEvent[] places = [.. cited.Select(c => new CitedEvent(c.EventNid, c.Pdu.Type, c.Pdu.StateKey))];
            var placement = await building.AuthIndex.Place(nid, pdu.Type, pdu.StateKey!, places, ct);
            if (placement is not null && !this.places.Add(placement.Node.Place))
            {
                building.AuthIndex.Contested([placement]);
                placement = await building.AuthIndex.Place(nid, pdu.Type, pdu.StateKey!, places, ct);
            }
            if (placement is null)
                return false;
            this.places.Add(placement.Node.Place);
            Placements.Add(placement);
            return true;
        }

        ShelvedEvent? Find(EventId id) => here.TryGetValue(id, out var e) ? e : shelf.Find(id);

        /// <summary>Null: the events that it cites allow it (Server-Server API, Checks performed on receipt of a PDU, 4.).</summary>
        string? Judge(Pdu pdu, IReadOnlyList<ShelvedEvent> cited)
        {
            var pdus = cited.Select(c => c.Pdu).ToList();
            var rejected = cited.Where(c => c.IsRejected).Select(c => c.Pdu.EventId).ToHashSet();
            var result = EventAuth.CheckAuthEvents(pdu, pdus, rejected.Contains);
            if (result.Allowed)
                result = EventAuth.Check(pdu, new AuthState(pdus), pdu.Rules, Create());
            return result.Allowed ? null : result.Reason ?? "The rules do not allow it.";
        }

        Pdu? Create() => shelf.Room.Rules.RoomIdIsCreateHash && shelf.Room.RoomId.CreateEventId is { } id ? Find(id)?.Pdu : null;
    }
}
