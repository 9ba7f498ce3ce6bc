using Matrix.ClientApi.Threads;
using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.ClientApi.Endpoints.Threads;

/// <summary>PUT /_matrix/client/unstable/io.element.msc4306/rooms/{roomId}/thread/{eventId}/subscription</summary>
static class PutThreadSubscription
{
    public static void Map(IEndpointRouteBuilder app) =>
        app.MapPut("/_matrix/client/unstable/io.element.msc4306/rooms/{roomId}/thread/{eventId}/subscription", Handle);

    static async Task<Empty> Handle(
        RoomId roomId, EventId eventId, Body<Request> body, Requester requester, ThreadSubscriptions subscriptions, CancellationToken ct)
    {
        await subscriptions.Subscribe(roomId, eventId, body.Value.Automatic, requester, ct);
        return default;
    }

    /// <param name="Automatic">The newest event that made the client do it; null: the user did it.</param>
    sealed record Request(EventId? Automatic);
}
