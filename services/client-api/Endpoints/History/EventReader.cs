using Matrix.ClientApi.Sync;
using Matrix.ClientApi.Sync.Visibility;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Endpoints.History;

/// <summary>Finds a single event for a user who may see it.</summary>
sealed class EventReader(RoomReader rooms, SyncStore store, EventCache events, VisibilityFilter visibility)
{
    /// <summary>404 alike for an event that does not exist and for one that the user may not see.</summary>
    public async Task<(RoomView View, EncodedEvent Event)> Get(RoomId roomId, EventId eventId, Requester requester, EventBatch batch, CancellationToken ct)
    {
        if (await rooms.Find(roomId, requester.UserId, ct) is not { } view
            || await store.FindEvent(roomId.ToString(), eventId.ToString(), ct) is not { } nid)
            throw NotFound();
        await events.LoadToShow(batch, [nid], ct);
        var visible = await visibility.Filter(batch.List([nid]), view.UserId, view.Sight, ct);
        return visible is [var e] ? (view, e) : throw NotFound();
    }

    static MatrixException NotFound() => MatrixException.NotFound("Event not found.");
}
