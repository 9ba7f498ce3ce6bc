using Matrix.ClientApi.Sync;
using Matrix.Protocol;
using Matrix.Rooms.Fetching;

namespace Matrix.ClientApi.Endpoints.History;

/// <summary>Goes on where a reader comes to the end of what this server knows of a room, with what other servers have.</summary>
sealed class RemotePast(HistoryBackfill history)
{
    /// <summary>Has something come that the reader may find below the page? Nobody is asked for what the reader may not see.</summary>
    public async ValueTask<bool> Bring(RoomView view, TimelinePage page, int limit, long? to, CancellationToken ct)
    {
        var isEnd = !page.More && page.Events.Count < limit && to is null or <= 0;
        if (!isEnd || page.Events.Any(e => e is { Type: EventTypes.Create, StateKey: "" }) || !view.Sight.Includes(long.MinValue))
            return false;
        return await history.Bring(view.Room, ct);
    }
}
