using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.Delayed;

/// <summary>POST /_matrix/client/unstable/org.matrix.msc4140/delayed_events/{delayId}: the action in the body, as earlier drafts had it and matrix-js-sdk still has.</summary>
static class PostDelayedEvent
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/unstable/org.matrix.msc4140/delayed_events/{delayId}", Handle);

    static Task<Empty> Handle(string delayId, Body<Request> body, Requester requester, HttpContext context, DelayedEventActions actions, CancellationToken ct) =>
        actions.Act(delayId, body.Value.Action, requester, context, ct);

    sealed record Request(string Action);
}
