using Matrix.ClientApi.Endpoints.History;
using Matrix.ClientApi.Sync;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms.Unread;
using Matrix.Storage.Rooms;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Threads;

/// <summary>Subscribes users to threads, and ends that (MSC4306). What changes nothing takes no position of the log.</summary>
sealed class ThreadSubscriptions(EventReader reader, EventStore events, ThreadSubscriptionStore store, ThreadRules rules, LogWriter log, LogFollower follower)
{
    /// <summary>Null: the user is not subscribed.</summary>
    /// <exception cref="MatrixException">404: there is no such event, or the user may not see it.</exception>
    public async Task<ThreadSubscription?> Find(RoomId roomId, EventId threadId, Requester requester, CancellationToken ct)
    {
        var (view, _) = await reader.Get(roomId, threadId, requester, new EventBatch(), ct);
        return await store.Find(view.UserId, view.RoomNid, threadId.ToString(), ct) is { Subscribed: true } found ? found : null;
    }

    /// <param name="cause">The event because of which the client does it by itself; null: the user does.</param>
    public async Task Subscribe(RoomId roomId, EventId threadId, EventId? cause, Requester requester, CancellationToken ct)
    {
        var (view, _) = await reader.Get(roomId, threadId, requester, new EventBatch(), ct);
        var causedAt = cause is { } eventId ? await PositionInThread(view.RoomNid, threadId, eventId, ct) : (long?)null;
        var known = await store.Find(view.UserId, view.RoomNid, threadId.ToString(), ct);
        if (causedAt is { } at && known is { Subscribed: false } left && left.Position >= at)
            throw Refused();
        if (known is not { Subscribed: true } || (causedAt is null && known.Automatic))
        {
            var change = new ThreadSubscriptionChange(requester.UserId, view.RoomNid, threadId, true, causedAt);
            await follower.WaitFor(await log.Append(change, ct), ct);
            if (change.IsRefused)
                throw Refused();
        }
        await rules.TurnOn(requester.UserId, ct);
    }

    public async Task Unsubscribe(RoomId roomId, EventId threadId, Requester requester, CancellationToken ct)
    {
        var (view, _) = await reader.Get(roomId, threadId, requester, new EventBatch(), ct);
        if (await store.Find(view.UserId, view.RoomNid, threadId.ToString(), ct) is { Subscribed: true })
            await follower.WaitFor(await log.Append(new ThreadSubscriptionChange(requester.UserId, view.RoomNid, threadId, false, null), ct), ct);
    }

    async Task<long> PositionInThread(long roomNid, EventId threadId, EventId eventId, CancellationToken ct)
    {
        if (await events.FindByEventId(eventId, ct) is { Position: { } position, SoftFailed: false } found && found.RoomNid == roomNid
            && EventRelation.Read(Pdu.FromStored(found.EventId, found.Json, found.Rules))?.ThreadRoot == threadId)
            return position;
        throw new MatrixException(400, "IO.ELEMENT.MSC4306.M_NOT_IN_THREAD", "The event is not in this thread.");
    }

    static MatrixException Refused() =>
        new(409, "IO.ELEMENT.MSC4306.M_CONFLICTING_UNSUBSCRIPTION", "The user has left the thread since that event.");
}
