using Matrix.Http;
using Matrix.Storage.Rooms;

namespace Matrix.ClientApi.Endpoints.Delayed;

/// <summary>GET /_matrix/client/unstable/org.matrix.msc4140/delayed_events: what is still scheduled, the next first.</summary>
static class GetDelayedEvents
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/unstable/org.matrix.msc4140/delayed_events", Handle);

    static async Task<Response> Handle(Requester requester, DelayedEventStore store, CancellationToken ct) =>
        new([.. (await store.ListScheduled(requester.UserId, ct)).Select(DelayedEventView.Of)]);

    sealed record Response(DelayedEventView[] DelayedEvents);
}
