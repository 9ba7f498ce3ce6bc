using Npgsql;

namespace Matrix.Storage.Rooms;

/// <summary>A place in the auth index: the sequence-th event of a chain.</summary>
public readonly record struct AuthPlace(long Chain, int Sequence);

/// <summary>What the index has of one event. See 0051_auth_index.sql.</summary>
public sealed record AuthIndexRow(long EventNid, long Chain, int Sequence, long? BaseNid, byte[] Reach);

/// <summary>A chain some of whose events have a given one in their auth chain: those from a sequence on.</summary>
/// <param name="FromSequence">Of the citing event that was found.</param>
/// <param name="CitedSequence">Together with <paramref name="EventNid"/> where the list goes on.</param>
public sealed record CitingChain(
    long CitedChain, int CitedSequence, long EventNid, long Chain, int FromSequence, string Type, string StateKey);

/// <summary>The index over auth chains. Its rows never change; they are written with their events.</summary>
public sealed class AuthIndexStore(NpgsqlDataSource db)
{
    /// <summary>By primary key; what is not in the index is left out.</summary>
    public Task<IReadOnlyList<AuthIndexRow>> List(IReadOnlyCollection<long> eventNids, CancellationToken ct) => db.List<AuthIndexRow>(
        """
        SELECT event_nid, chain, sequence, base_nid, reach FROM auth_index
        WHERE event_nid = ANY(@eventNids)
        """, new { eventNids = eventNids.ToArray() }, ct);

    /// <summary>What stands at these places. By auth_index_place.</summary>
    public Task<IReadOnlyList<AuthIndexRow>> ListAt(IReadOnlyCollection<AuthPlace> places, CancellationToken ct) => db.List<AuthIndexRow>(
        """
        SELECT i.event_nid, i.chain, i.sequence, i.base_nid, i.reach
        FROM unnest(@chains, @sequences) AS p (chain, sequence) JOIN auth_index i USING (chain, sequence)
        """, new { chains = places.Select(p => p.Chain).ToArray(), sequences = places.Select(p => p.Sequence).ToArray() }, ct);

    /// <summary>The events of chains from one sequence, not included, up to another. By auth_index_place.</summary>
    public Task<IReadOnlyList<long>> ListRanges(IReadOnlyCollection<(long Chain, int After, int UpTo)> ranges, CancellationToken ct) => db.List<long>(
        """
        SELECT i.event_nid
        FROM unnest(@chains, @after, @upTo) AS r (chain, after, up_to)
        JOIN auth_index i ON i.chain = r.chain AND i.sequence > r.after AND i.sequence <= r.up_to
        """, new
        {
            chains = ranges.Select(r => r.Chain).ToArray(),
            after = ranges.Select(r => r.After).ToArray(),
            upTo = ranges.Select(r => r.UpTo).ToArray(),
        }, ct);

    /// <summary>
    /// Of each chain, events of other chains that cite one of its events from a sequence on; the newest cited first, at most <paramref name="limit"/> for each,
    /// after the place where an earlier list ended. By auth_index_place and the primary key of auth_edges.
    /// </summary>
    public Task<IReadOnlyList<CitingChain>> ListCiting(
        IReadOnlyCollection<(AuthPlace From, int BelowSequence, long BelowNid)> chains, int limit, CancellationToken ct) => db.List<CitingChain>(
        """
        SELECT f.chain AS cited_chain, c.cited_sequence, c.event_nid, c.chain, c.sequence AS from_sequence, k.type, k.state_key
        FROM unnest(@chains, @from, @belowSequence, @belowNid) AS f (chain, from_sequence, below_sequence, below_nid)
        CROSS JOIN LATERAL (
            SELECT p.sequence AS cited_sequence, e.event_nid, i.chain, i.sequence
            FROM auth_index p JOIN auth_edges e ON e.auth_nid = p.event_nid JOIN auth_index i ON i.event_nid = e.event_nid
            WHERE p.chain = f.chain AND p.sequence >= f.from_sequence AND p.sequence <= f.below_sequence
                AND (p.sequence, e.event_nid) < (f.below_sequence, f.below_nid) AND i.chain <> f.chain
            ORDER BY p.sequence DESC, e.event_nid DESC LIMIT @limit) c
        JOIN events k ON k.event_nid = c.chain
        """, new
        {
            chains = chains.Select(c => c.From.Chain).ToArray(),
            from = chains.Select(c => c.From.Sequence).ToArray(),
            belowSequence = chains.Select(c => c.BelowSequence).ToArray(),
            belowNid = chains.Select(c => c.BelowNid).ToArray(),
            limit,
        }, ct);

    /// <summary>State events of the room that are not in the index yet.</summary>
    public Task<IReadOnlyList<long>> ListBacklog(long roomNid, CancellationToken ct) => db.List<long>(
        "SELECT event_nid FROM auth_backlog WHERE room_nid = @roomNid ORDER BY event_nid", new { roomNid }, ct);
}
