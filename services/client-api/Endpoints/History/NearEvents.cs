using Matrix.ClientApi.Sync;
using Matrix.ClientApi.Sync.Visibility;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Endpoints.History;

/// <summary>Finds the event nearest to a time among those that are here.</summary>
sealed class NearEvents(TimelineStore timelines, EventCache events, VisibilityFilter visibility)
{
    const int Chunk = 20;

    /// <summary>So many events near the time are looked at for one that the user may see.</summary>
    const int MostLooked = 500;

    /// <param name="ts">In milliseconds since 1970.</param>
    public async Task<EncodedEvent?> Find(RoomView view, long ts, bool forwards, CancellationToken ct)
    {
        for (var offset = 0; offset < MostLooked; offset += Chunk)
        {
            var places = (await timelines.ListNear(view.RoomNid, ts, forwards, offset, Chunk, ct))
                .Where(place => place.Position <= view.Until && view.Sight.Includes(place.Position)).Select(place => place.EventNid).ToArray();
            var batch = new EventBatch();
            await events.Load(batch, places, ct);
            if (await visibility.Filter(batch.List(places), view.UserId, view.Sight, ct) is [var found, ..])
                return found;
        }
        return null;
    }
}
