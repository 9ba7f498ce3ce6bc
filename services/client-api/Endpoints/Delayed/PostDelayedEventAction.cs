using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.Delayed;

/// <summary>POST /_matrix/client/unstable/org.matrix.msc4140/delayed_events/{delayId}/{action}</summary>
static class PostDelayedEventAction
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/unstable/org.matrix.msc4140/delayed_events/{delayId}/{action}", Handle);

    static Task<Empty> Handle(
        string delayId, string action, OptionalRequester requester, HttpContext context, DelayedEventActions actions, CancellationToken ct) =>
        actions.Act(delayId, action, requester.Value, context, ct);
}
