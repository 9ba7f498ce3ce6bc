using Matrix.ClientApi.Endpoints.History;
using Matrix.ClientApi.Sync;
using Matrix.ClientApi.Sync.Filters;
using Matrix.ClientApi.Sync.Relations;
using Matrix.ClientApi.Sync.Visibility;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Storage.Search;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Search;

/// <summary>An event that was found, with what stands around it.</summary>
sealed record SearchResult(EncodedEvent Event, double Rank, IReadOnlyList<EncodedEvent> Before, IReadOnlyList<EncodedEvent> After);

/// <param name="Count">Of everything found, roughly.</param>
/// <param name="Views">The rooms of the results, by number.</param>
sealed record SearchResults(IReadOnlyList<SearchResult> Found, int Count, SearchToken? Next, IReadOnlyDictionary<long, RoomView> Views);

/// <summary>Searches the events of the rooms that a user is or was in; only what the user may see is found.</summary>
sealed class EventSearch(
    SearchStore store, SyncStore rooms, RoomSights sights, EventCache events, VisibilityFilter visibility, Bundles bundles, Rooms.RoomFinder finder,
    LogFollower follower)
{
    public const int DefaultLimit = 10;
    const int MostLimit = 100;
    const int MostContext = 20;

    static readonly string[] AllKeys = ["content.body", "content.name", "content.topic"];

    public async Task<SearchResults> Find(
        RoomEventsCriteria criteria, RoomEventFilter filter, SearchToken? from, Requester requester, EventBatch batch, CancellationToken ct)
    {
        var userId = requester.UserId.ToString();
        var token = from ?? new SearchToken(follower.Position.Value, 0);
        var limit = Math.Clamp(filter.Limit ?? DefaultLimit, 1, MostLimit);
        var searched = await ListRooms(userId, filter, token, ct);
        if (searched.Count == 0 || SearchWords.ToQuery(criteria.SearchTerm) is not { } words)
            return new SearchResults([], 0, null, new Dictionary<long, RoomView>());
        var kinds = (criteria.Keys is { Count: > 0 } keys ? keys.Intersect(AllKeys) : AllKeys).Select(SearchStore.KindOf).ToList();
        var hits = kinds.Count == 0 ? [] : await store.Find(
            new SearchQuery(words, searched, kinds, token.Sender, criteria.OrderBy == "rank", token.Offset, limit + 1), ct);
        var next = hits.Count > limit ? token with { Offset = token.Offset + limit } : null;
        var count = hits.Count > 0 ? hits[0].Count : 0;
        hits = [.. hits.Take(limit)];

        var views = await Open(hits, requester.UserId, ct);
        var found = await Load(hits, filter, views, userId, batch, ct);
        var results = await AddContext(found, criteria.EventContext, searched, views, userId, batch, ct);
        await bundles.Fill(batch, results.SelectMany(r => r.Before.Append(r.Event).Concat(r.After)), userId, room => views.GetValueOrDefault(room)?.Sight, ct);
        return new SearchResults(results, count, next, views);
    }

    // Rooms that the user has left are searched up to there. What an index of words says of them is checked for each event in the end.
    async Task<List<SearchedRoom>> ListRooms(string userId, RoomEventFilter filter, SearchToken token, CancellationToken ct)
    {
        var present = (await rooms.ListMemberships(userId, ct)).Where(room => room.Membership == "join").Select(room => (room.RoomNid, room.RoomId, Until: token.UpTo));
        var left = (await rooms.ListLeft(userId, ct)).Select(room => (room.RoomNid, room.RoomId, Until: Math.Min(room.Position, token.UpTo)));
        return [.. present.Concat(left).Where(room => filter.PassesRoom(room.RoomId) && (token.Room is null || token.Room == room.RoomId))
            .Select(room => new SearchedRoom(room.RoomNid, room.Until))];
    }

    async Task<Dictionary<long, RoomView>> Open(IReadOnlyList<SearchHit> hits, UserId user, CancellationToken ct)
    {
        var seen = await sights.Get([.. hits.Select(hit => hit.RoomNid).Distinct()], user.ToString(), ct);
        var known = seen.Count == 0 ? [] : await finder.List([.. seen.Keys], ct);
        return known.ToDictionary(room => room.RoomNid, room => new RoomView(
            room, user, seen[room.RoomNid].IsJoined ? long.MaxValue : seen[room.RoomNid].Current?.Position ?? 0, seen[room.RoomNid]));
    }

    async Task<List<(SearchHit Hit, EncodedEvent Event)>> Load(
        IReadOnlyList<SearchHit> hits, RoomEventFilter filter, Dictionary<long, RoomView> views, string userId, EventBatch batch, CancellationToken ct)
    {
        await events.LoadToShow(batch, [.. hits.Select(hit => hit.EventNid)], ct);
        var visible = await Filter(hits.Select(hit => hit.EventNid), views, userId, batch, ct);
        return [.. hits.Where(hit => visible.TryGetValue(hit.EventNid, out var e) && e.RedactedBy is null && filter.Passes(e))
            .Select(hit => (hit, visible[hit.EventNid]))];
    }

    async Task<IReadOnlyList<SearchResult>> AddContext(
        List<(SearchHit Hit, EncodedEvent Event)> found, ContextCriteria? context, List<SearchedRoom> searched, Dictionary<long, RoomView> views, string userId,
        EventBatch batch, CancellationToken ct)
    {
        if (context is null || found.Count == 0)
            return [.. found.Select(f => new SearchResult(f.Event, f.Hit.Rank, [], []))];
        var until = searched.ToDictionary(room => room.RoomNid, room => room.Until);
        var around = (await store.ListAround([.. found.Select(f => f.Hit)], [.. found.Select(f => until[f.Hit.RoomNid])],
            Math.Clamp(context.BeforeLimit, 0, MostContext), Math.Clamp(context.AfterLimit, 0, MostContext), ct)).ToLookup(near => near.Hit);
        await events.LoadToShow(batch, [.. around.SelectMany(near => near).Select(near => near.EventNid).Distinct()], ct);
        var visible = await Filter(around.SelectMany(near => near).Select(near => near.EventNid).Distinct(), views, userId, batch, ct);
        return [.. found.Select((f, i) => new SearchResult(f.Event, f.Hit.Rank,
            [.. Visible(around[i].Where(near => near.Position < f.Hit.Position).OrderByDescending(near => near.Position), visible)],
            [.. Visible(around[i].Where(near => near.Position > f.Hit.Position).OrderBy(near => near.Position), visible)]))];
    }

    static IEnumerable<EncodedEvent> Visible(IEnumerable<SearchNeighbour> near, Dictionary<long, EncodedEvent> visible) =>
        near.Select(n => visible.GetValueOrDefault(n.EventNid)).OfType<EncodedEvent>();

    async Task<Dictionary<long, EncodedEvent>> Filter(
        IEnumerable<long> nids, Dictionary<long, RoomView> views, string userId, EventBatch batch, CancellationToken ct)
    {
        var visible = new Dictionary<long, EncodedEvent>();
        foreach (var room in batch.List(nids).GroupBy(e => e.RoomNid))
        {
            foreach (var e in await visibility.Filter([.. room], userId, views[room.Key].Sight, ct))
                visible[e.Nid] = e;
        }
        return visible;
    }
}
