using Matrix.Protocol;
using Matrix.Rooms.Writing;
using Matrix.Storage;
using Matrix.Storage.Rooms;
using Npgsql;

namespace Matrix.Rooms.Resolution;

/// <summary>
/// State events that came before events that they cite have no place in the auth index yet. Before a room's states are resolved they get one, as far as
/// what they cite has come. Outliers are judged by the events that they cite when they get it: before, nothing is built on them.
/// </summary>
public sealed class AuthBacklog(NpgsqlDataSource db, AuthIndexStore store, AuthIndex index, EventStore events)
{
    const int AtOnce = 500;

    /// <summary>How many events are looked at together.</summary>
    internal int Window { get; set; } = 10_000;

    public async ValueTask Settle(long roomNid, CancellationToken ct)
    {
        // what an event cites may be in a later window: as long as one had something that could be settled, all are looked at again
        for (var progress = true; progress && await store.ListBacklog(roomNid, ct) is { Count: > 0 } backlog;)
        {
            progress = false;
            foreach (var window in backlog.Chunk(Window))
            {
                var waiting = window.ToHashSet();
                while (waiting.Count > 0 && await SettleSome(roomNid, waiting, ct) > 0)
                    progress = true;
            }
        }
    }

    async ValueTask<int> SettleSome(long roomNid, HashSet<long> waiting, CancellationToken ct)
    {
        await using var tx = await db.BeginTransaction(ct);
        // one process at a time, or two would give the same event two places
        await tx.Execute("SELECT pg_advisory_xact_lock(hashtextextended('auth_backlog', @roomNid))", new { roomNid }, ct);
        waiting.IntersectWith(await tx.List<long>("SELECT event_nid FROM auth_backlog WHERE room_nid = @roomNid", new { roomNid }, ct));
        var (placements, rejected) = await Place(roomNid, waiting, ct);
        try
        {
            await using var batch = tx.Connection.CreateBatch();
            AuthIndexRows.AddInsert(batch, placements);
            batch.Add("DELETE FROM auth_backlog WHERE room_nid = $1 AND event_nid = ANY($2)",
                roomNid, placements.Select(p => p.Node.EventNid).ToArray());
            foreach (var (nid, reason) in rejected)
                batch.Add("UPDATE events SET rejected = $2 WHERE event_nid = $1", nid, reason.Storable());
            await batch.ExecuteNonQueryAsync(ct);
            await tx.CommitAsync(ct);
        }
        catch (PostgresException e)
        {
            index.Forget(placements.Select(p => p.Node.EventNid));
            if (e.ConstraintName != AuthIndexRows.PlaceConstraint)
                throw;
            index.Contested(placements);
            return 1;
        }
        waiting.ExceptWith(placements.Select(p => p.Node.EventNid));
        return placements.Count;
    }

    async ValueTask<(List<AuthPlacement> Placements, List<(long Nid, string Reason)> Rejected)> Place(
        long roomNid, HashSet<long> waiting, CancellationToken ct)
    {
        var around = await Around(roomNid, waiting, ct);
        var open = waiting.Where(around.ByNid.ContainsKey).ToHashSet();
        var placements = new List<AuthPlacement>();
        for (var before = -1; placements.Count > before && placements.Count < AtOnce;)
        {
            before = placements.Count;
            foreach (var nid in open.ToList())
            {
                var pdu = around.ByNid[nid].Pdu;
                var cited = pdu.AuthEvents.Distinct().Select(around.ById.GetValueOrDefault).OfType<Candidate>().ToList();
                if (cited.Count < pdu.AuthEvents.Distinct().Count() || cited.Any(c => open.Contains(c.EventNid)))
                    continue;
                if (await index.Place(nid, pdu.Type, pdu.StateKey!, [.. cited.Select(c => new CitedEvent(c.EventNid, c.Pdu.Type, c.Pdu.StateKey))], ct)
                    is not { } placement)
                    continue;
                placements.Add(placement);
                open.Remove(nid);
                around.Judge(nid, cited);
            }
        }
        return (placements, around.Rejected);
    }

    /// <summary>Some of those that wait, with what they cite.</summary>
    async ValueTask<Candidates> Around(long roomNid, HashSet<long> waiting, CancellationToken ct)
    {
        var around = new Candidates();
        around.Add((await events.Get(waiting, ct)).Values);
        var cited = around.ByNid.Values.SelectMany(e => e.Pdu.AuthEvents).Where(id => !around.ById.ContainsKey(id)).ToHashSet();
        if (around.ById.Values.FirstOrDefault() is { Pdu: { Rules.RoomIdIsCreateHash: true, RoomId.CreateEventId: { } create } })
            cited.Add(create);
        around.Add(await events.FindInRoom(roomNid, cited, ct));
        return around;
    }

    sealed record Candidate(long EventNid, Pdu Pdu, bool IsOutlier)
    {
        public bool IsRejected { get; set; }
    }

    sealed class Candidates
    {
        public Dictionary<long, Candidate> ByNid { get; } = [];

        public Dictionary<EventId, Candidate> ById { get; } = [];

        public List<(long Nid, string Reason)> Rejected { get; } = [];

        public void Add(IEnumerable<StoredEvent> stored)
        {
            foreach (var e in stored)
            {
                ById[e.EventId] = ByNid[e.EventNid] = new Candidate(e.EventNid, Pdu.FromStored(e.EventId, e.Json, e.Rules), e.StateBefore is null)
                {
                    IsRejected = e.Rejected is not null,
                };
            }
        }

        public void Judge(long nid, List<Candidate> cited)
        {
            if (ByNid[nid] is not { IsOutlier: true, IsRejected: false } e)
                return;
            var result = EventAuth.CheckAuthEvents(e.Pdu, [.. cited.Select(c => c.Pdu)], id => ById[id].IsRejected);
            if (result.Allowed)
                result = EventAuth.Check(e.Pdu, new AuthState(cited.Select(c => c.Pdu)), e.Pdu.Rules, Create(e.Pdu));
            if (result.Allowed)
                return;
            e.IsRejected = true;
            Rejected.Add((nid, result.Reason ?? "The rules do not allow it."));
        }

        Pdu? Create(Pdu pdu) => pdu is { Rules.RoomIdIsCreateHash: true, RoomId.CreateEventId: { } id } ? ById.GetValueOrDefault(id)?.Pdu : null;
    }
}
