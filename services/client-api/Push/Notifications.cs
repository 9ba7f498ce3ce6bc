using Matrix.ClientApi.Sync;
using Matrix.ClientApi.Sync.Visibility;
using Matrix.Protocol;
using Matrix.Rooms.Unread;
using Matrix.Storage.Push;
using Matrix.Storage.Rooms;

namespace Matrix.ClientApi.Push;

/// <summary>An event that notified a user.</summary>
sealed record Notification(EncodedEvent Event, PushOutcome Outcome, bool IsRead);

/// <param name="Before">What the next page goes on before; null: there is none.</param>
sealed record NotificationPage(IReadOnlyList<Notification> Notifications, long? Before);

/// <summary>Finds what a user was notified of, newest first: by the marks of unread events, then by the rules as they are now.</summary>
sealed class Notifications(
    NotificationStore store, EventStore stored, EventCache events, RoomSights sights, VisibilityFilter visibility, RoomSummaryStore summaries, PushJudge judge)
{
    const int PageSize = 100;

    /// <summary>So many events are looked at for those that are asked for; the client goes on from there.</summary>
    const int MostLooks = 5;

    public async Task<NotificationPage> List(string userId, long before, int limit, bool onlyHighlights, EventBatch batch, CancellationToken ct)
    {
        var found = new List<Notification>();
        for (var look = 0; look < MostLooks; look++)
        {
            var candidates = await store.List(userId, before, PageSize, ct);
            foreach (var (place, outcome) in await Judge(userId, candidates, batch, ct))
            {
                if (onlyHighlights && !outcome.Highlight)
                    continue;
                if (found.Count == limit)
                    return new NotificationPage(found, found[^1].Event.Position);
                found.Add(new Notification(batch.Find(place.EventNid)!, outcome, place.IsRead));
            }
            if (candidates.Count < PageSize)
                return new NotificationPage(found, null);
            before = candidates[^1].Position;
        }
        return new NotificationPage(found, before);
    }

    async Task<List<(NotifyingEvent Place, PushOutcome Outcome)>> Judge(
        string userId, IReadOnlyList<NotifyingEvent> candidates, EventBatch batch, CancellationToken ct)
    {
        if (candidates.Count == 0)
            return [];
        var pdus = await stored.Get([.. candidates.Select(place => place.EventNid)], ct);
        await events.LoadToShow(batch, [.. candidates.Select(place => place.EventNid)], ct);
        var visible = new HashSet<long>();
        foreach (var (room, sight) in await sights.Get([.. candidates.Select(place => place.RoomNid).Distinct()], userId, ct))
        {
            var shown = await visibility.Filter(batch.List([.. candidates.Where(p => p.RoomNid == room).Select(p => p.EventNid)]), userId, sight, ct);
            visible.UnionWith(shown.Select(e => e.Nid));
        }
        var members = (await summaries.List([.. candidates.Select(place => place.RoomNid).Distinct()], ct)).ToDictionary(s => s.RoomNid, s => s.JoinedCount);
        var judged = new List<(NotifyingEvent, PushOutcome)>();
        foreach (var place in candidates.Where(place => visible.Contains(place.EventNid)))
        {
            if (!pdus.TryGetValue(place.EventNid, out var e) || e.RedactedBy is not null)
                continue;
            var pdu = Pdu.FromStored(e.EventId, e.Json, e.Rules);
            if (await judge.Judge(pdu, e.StateBefore, await judge.Levels(e.StateBefore, ct), members.GetValueOrDefault(place.RoomNid), userId, ct) is { } outcome)
                judged.Add((place, outcome));
        }
        return judged;
    }
}
