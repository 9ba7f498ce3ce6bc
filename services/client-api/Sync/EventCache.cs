using Matrix.Protocol;
using Matrix.Rooms.State;
using Matrix.Rooms.Writing;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync;

/// <summary>
/// Events by number, encoded for clients, within a limit of bytes. An event never changes, so an entry needs no invalidation,
/// except by a redaction, which the log announces, and when an event of a state gets its place in the timeline (<see cref="LoadTimeline"/>). New events that many wait for are fetched once.
/// </summary>
sealed class EventCache(SyncStore store, WrittenEvents written, StateTree states, Caches caches) : IDisposable
{
    const int Few = 64;

    readonly BoundedCache<long, EncodedEvent> cache = caches.Create<long, EncodedEvent>("events", 64 << 20, (_, e) => e.Weight);
    readonly BoundedCache<string, long> ids = caches.Create<string, long>("event_ids", 4 << 20, (id, _) => Caches.WeightOf(id));
    readonly SemaphoreSlim fetching = new(1);
    readonly Lock gate = new();
    readonly List<long> redactions = [];
    int generation;

    public void Dispose() => fetching.Dispose();

    /// <summary>A redaction was written: what it redacts is read again.</summary>
    public void Redacted(long redactionNid)
    {
        lock (gate)
        {
            redactions.Add(redactionNid);
            Interlocked.Increment(ref generation);
        }
    }

    /// <summary>An event that is in memory, and was not redacted as far as is known; null says nothing.</summary>
    public EncodedEvent? FindRemembered(string eventId) =>
        ids.TryGet(eventId, out var nid) && cache.TryGet(nid, out var e) && e.RedactedBy is null ? e : null;

    /// <summary>Adds the events to the batch, without what they show of others. What does not exist is left out.</summary>
    public async ValueTask Load(EventBatch batch, IReadOnlyCollection<long> nids, CancellationToken ct)
    {
        if (nids.Count == 0)
            return;
        await Redact(ct);
        await Fill(batch, nids, ct);
    }

    /// <summary>
    /// <see cref="LoadToShow"/> for events of a timeline. One that was remembered when it was only part of a state, and had no place yet, is read
    /// again: it came as the past of a room that this server joined.
    /// </summary>
    public async ValueTask LoadTimeline(EventBatch batch, IReadOnlyCollection<long> nids, CancellationToken ct)
    {
        await LoadToShow(batch, nids, ct);
        var stale = batch.List(nids).Where(e => e.Position is null).ToList();
        if (stale.Count == 0)
            return;
        foreach (var e in stale)
        {
            written.Forget(e.Nid);
            cache.Remove(e.Nid);
            batch.Remove(e.Nid);
        }
        await LoadToShow(batch, [.. stale.Select(e => e.Nid)], ct);
    }

    /// <summary>Adds the events as they are shown to clients, with what <see cref="EventWriter"/> needs for their unsigned part.</summary>
    public async ValueTask LoadToShow(EventBatch batch, IReadOnlyCollection<long> nids, CancellationToken ct)
    {
        await Load(batch, nids, ct);
        var shown = new List<long>();
        var asked = batch.List(nids);
        await FindReplaced(asked, ct);
        foreach (var e in asked)
        {
            if (e.Replaces is > 0 and var replaced)
                shown.Add(replaced);
            if (e.RedactedBy is { } redaction)
                shown.Add(redaction);
        }
        if (shown.Count > 0)
            await Fill(batch, shown, ct);
    }

    async ValueTask Fill(EventBatch batch, IReadOnlyCollection<long> nids, CancellationToken ct)
    {
        var missing = Take(batch, nids);
        if (missing.Count == 0)
            return;
        if (missing.Count > Few)
        {
            await Fetch(batch, missing, ct);
            return;
        }
        // Everybody who waited for a new event asks at the same moment: one fetches, the others find it.
        await fetching.WaitAsync(ct);
        try
        {
            missing = Take(batch, missing);
            if (missing.Count > 0)
                await Fetch(batch, missing, ct);
        }
        finally
        {
            fetching.Release();
        }
    }

    List<long> Take(EventBatch batch, IReadOnlyCollection<long> nids)
    {
        var missing = new List<long>();
        foreach (var nid in nids)
        {
            if (batch.Find(nid) is not null)
                continue;
            if (cache.TryGet(nid, out var e))
                batch.Add(e);
            else
                missing.Add(nid);
        }
        return missing;
    }

    async Task Fetch(EventBatch batch, List<long> nids, CancellationToken ct)
    {
        var before = Volatile.Read(ref generation);
        var elsewhere = new List<long>();
        foreach (var nid in nids.Distinct())
        {
            if (written.Find(nid) is { } own)
                Add(own);
            else
                elsewhere.Add(nid);
        }
        foreach (var stored in elsewhere.Count > 0 ? await store.ListEvents([.. elsewhere], ct) : [])
            Add(stored);

        void Add(EventRow stored)
        {
            var e = EventEncoder.Encode(stored);
            batch.Add(e);
            // the states of an event in a room whose members are not known yet are others when they are
            if (!stored.IsTentative)
            {
                cache.Set(e.Nid, e, ref generation, before);
                ids.Set(e.EventId, e.Nid);
            }
        }
    }

    // For all of them together, as many round trips as for one.
    async ValueTask FindReplaced(IReadOnlyList<EncodedEvent> shown, CancellationToken ct)
    {
        List<EncodedEvent>? unknown = null;
        foreach (var e in shown)
        {
            if (e is { IsState: true, Replaces: null })
                (unknown ??= []).Add(e);
        }
        if (unknown is null)
            return;
        var found = await states.Find([.. unknown.Select(e => (e.StateBefore ?? StateTree.Empty, new StateKeyPair(e.Type, e.StateKey!)))], ct);
        for (var i = 0; i < found.Length; i++)
            unknown[i].Replaces = found[i] ?? 0;
    }

    async ValueTask Redact(CancellationToken ct)
    {
        long[] news;
        lock (gate)
            news = [.. redactions];
        if (news.Length == 0)
            return;
        var batch = new EventBatch();
        await Fill(batch, news, ct);
        var targets = batch.All.Select(e => e.Redacts).OfType<string>().ToArray();
        var redacted = await store.ListNids(targets, ct);
        foreach (var nid in redacted)
            written.Forget(nid);
        Interlocked.Increment(ref generation); // who reads from now on finds the redaction
        foreach (var nid in redacted)
            cache.Remove(nid);
        lock (gate)
            redactions.RemoveAll(news.Contains);
    }
}
