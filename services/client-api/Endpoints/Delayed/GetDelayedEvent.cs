using Matrix.Http;
using Matrix.Storage.Rooms;

namespace Matrix.ClientApi.Endpoints.Delayed;

/// <summary>GET /_matrix/client/unstable/org.matrix.msc4140/delayed_events/{delayId}</summary>
static class GetDelayedEvent
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/unstable/org.matrix.msc4140/delayed_events/{delayId}", Handle);

    static async Task<DelayedEventView> Handle(string delayId, Requester requester, DelayedEventStore store, CancellationToken ct) =>
        await store.Find(delayId, ct) is { } found && found.UserId == requester.UserId
            ? DelayedEventView.Of(found) : throw MatrixException.NotFound("There is no such delayed event.");
}
