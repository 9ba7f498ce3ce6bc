using Matrix.ClientApi.Threads;
using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.ClientApi.Endpoints.Threads;

/// <summary>GET /_matrix/client/unstable/io.element.msc4306/rooms/{roomId}/thread/{eventId}/subscription</summary>
static class GetThreadSubscription
{
    public static void Map(IEndpointRouteBuilder app) =>
        app.MapGet("/_matrix/client/unstable/io.element.msc4306/rooms/{roomId}/thread/{eventId}/subscription", Handle);

    static async Task<Response> Handle(RoomId roomId, EventId eventId, Requester requester, ThreadSubscriptions subscriptions, CancellationToken ct) =>
        await subscriptions.Find(roomId, eventId, requester, ct) is { } found
            ? new Response(found.Automatic) : throw MatrixException.NotFound("You are not subscribed to this thread.");

    sealed record Response(bool Automatic);
}
