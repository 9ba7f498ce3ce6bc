using Matrix.Protocol;
using Matrix.Storage.Caching;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Unread;

/// <summary>
/// In which thread an event is: that of its <c>m.thread</c> relation, or of the event that it relates to in another way, over at most three hops (C-S
/// API, Threaded read receipts). Never changes, except that a redaction takes the relation away, which is not looked at: what was counted in a thread
/// stays there.
/// </summary>
public sealed class EventThreads(EventStore events, Caches caches)
{
    const int MaxHops = 3;

    readonly BoundedCache<EventId, Link> links = caches.Create<EventId, Link>("event_relations", 4 << 20, (_, link) => link.Relation is null ? 200 : 600);

    /// <summary>A thread root, or <see cref="EventNote.Main"/>.</summary>
    /// <param name="relation">Of the event.</param>
    public async ValueTask<string> Find(long roomNid, EventRelation? relation, CancellationToken ct)
    {
        for (var hop = 0; relation is { EventId: { } target }; hop++)
        {
            if (relation.ThreadRoot is { } root)
                return root.ToString();
            if (hop == MaxHops)
                break;
            relation = await FindRelation(roomNid, target, ct);
        }
        return EventNote.Main;
    }

    /// <summary>
    /// May a receipt at this event be one of the thread? It may if the event is in the thread, and also if it is the thread's root, or about it: clients
    /// show these with the thread.
    /// </summary>
    /// <param name="relation">Of the event.</param>
    public async ValueTask<bool> Belongs(long roomNid, EventId eventId, EventRelation? relation, string threadId, CancellationToken ct)
    {
        if (await Find(roomNid, relation, ct) is var thread && (thread == threadId || thread != EventNote.Main || threadId == EventNote.Main))
            return thread == threadId;
        if (eventId.ToString() == threadId)
            return true;
        for (var hop = 0; hop <= MaxHops && relation is { EventId: { } target }; hop++)
        {
            if (target.ToString() == threadId)
                return true;
            relation = await FindRelation(roomNid, target, ct);
        }
        return false;
    }

    async ValueTask<EventRelation?> FindRelation(long roomNid, EventId eventId, CancellationToken ct)
    {
        if (links.TryGet(eventId, out var link))
            return link.Relation;
        if (await events.FindByEventId(eventId, ct) is not { } stored || stored.RoomNid != roomNid)
            return null;
        var relation = EventRelation.Read(Pdu.FromStored(stored.EventId, stored.Json, stored.Rules));
        links.Set(eventId, new Link(relation));
        return relation;
    }

    sealed record Link(EventRelation? Relation);
}
