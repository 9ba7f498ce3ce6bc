using Matrix.ClientApi.Sync.Relations;
using Matrix.ClientApi.Sync.Visibility;
using Matrix.Protocol;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>Reads the timelines of the rooms of an answer.</summary>
sealed class SlidingTimelines(SyncStore store, TimelineReader timelines, RoomSights sights, Bundles bundles)
{
    /// <summary>The newest places of a room's timeline, newest first.</summary>
    /// <param name="Complete">There are no others in the range.</param>
    public sealed record Known(IReadOnlyList<TimelinePlace> Places, bool Complete);

    /// <returns>Of each room the places at hand: the first one's event, if it is loaded, has the room's newest state.</returns>
    public async Task<Dictionary<long, Known>> Fill(
        SlidingRequest request, SlidingResult result, IReadOnlyList<SlidingRoom> rooms, SlidingWindow window, CancellationToken ct)
    {
        var known = await FindKnown(rooms, window, ct);
        var first = rooms.SelectMany(room => known[room.Plan.Entry.RoomNid].Places.Take(Math.Max(1, room.Plan.TimelineLimit + 1)));
        await timelines.Prefetch([.. first.Select(place => place.EventNid)], result.Events, ct);
        // a member sees what came since the last answer; what was before, as the room's rules say
        var judged = rooms.Select(room => room.Plan).Where(plan => plan.Judged || plan.ExpandsTimeline).Select(plan => plan.Entry.RoomNid).ToList();
        var seen = judged.Count == 0 ? [] : await sights.Get(judged, request.UserId, ct);
        foreach (var room in rooms)
        {
            var plan = room.Plan;
            if (plan.TimelineLimit == 0)
                continue;
            var places = known[plan.Entry.RoomNid];
            var after = After(plan);
            var range = new TimelineRange(
                plan.Entry.RoomNid, after, plan.UpTo, places.Places, places.Complete, request.UserId, seen.GetValueOrDefault(plan.Entry.RoomNid));
            room.Timeline = await timelines.ReadNewest(range, RoomEventFilter.Default, plan.TimelineLimit, result.Events, ct);
            var since = request.Since?.Value ?? long.MaxValue;
            room.Live = room.Timeline.Events.Count(e => e.Position > since);
            room.Expanded = plan.ExpandsTimeline && room.Timeline.Events.Any(e => e.Position <= plan.From);
        }
        // as in sync v2: what comes live brings what relates to it along
        await bundles.Fill(
            result.Events, rooms.Where(room => room.Plan.Initial || room.Timeline.Limited || room.Expanded).SelectMany(room => room.Timeline.Events),
            request.UserId, seen.GetValueOrDefault, ct);
        return known;
    }

    static long After(RoomPlan plan) => plan.ExpandsTimeline ? long.MinValue : plan.From ?? long.MinValue;

    // Of every room whose newest events this process does not remember, in one query.
    async Task<Dictionary<long, Known>> FindKnown(IReadOnlyList<SlidingRoom> rooms, SlidingWindow window, CancellationToken ct)
    {
        var known = new Dictionary<long, Known>();
        var unknown = new List<RoomPlan>();
        foreach (var plan in rooms.Select(room => room.Plan))
        {
            if (!plan.ExpandsTimeline && plan.From is { } from && window.Timeline(plan.Entry.RoomNid, from) is { } places)
            {
                var wanted = places.Where(place => place.Position <= plan.UpTo).Take(plan.TimelineLimit + 1).ToList();
                known[plan.Entry.RoomNid] = new Known(wanted, wanted.Count <= plan.TimelineLimit);
            }
            else
                unknown.Add(plan);
        }
        if (unknown.Count == 0)
            return known;
        foreach (var group in unknown.GroupBy(plan => plan.TimelineLimit))
        {
            var count = group.Key + 1;
            var found = (await store.ListNewest(
                [.. group.Select(p => p.Entry.RoomNid)], [.. group.Select(After)], [.. group.Select(p => p.UpTo)], count, ct)).ToLookup(p => p.RoomNid);
            foreach (var plan in group)
            {
                IReadOnlyList<TimelinePlace> places = [.. found[plan.Entry.RoomNid].OrderByDescending(p => p.Position)];
                known[plan.Entry.RoomNid] = new Known(places, places.Count < count);
            }
        }
        return known;
    }
}
