using Matrix.ClientApi.Threads;
using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.ClientApi.Endpoints.Threads;

/// <summary>DELETE /_matrix/client/unstable/io.element.msc4306/rooms/{roomId}/thread/{eventId}/subscription</summary>
static class DeleteThreadSubscription
{
    public static void Map(IEndpointRouteBuilder app) =>
        app.MapDelete("/_matrix/client/unstable/io.element.msc4306/rooms/{roomId}/thread/{eventId}/subscription", Handle);

    static async Task<Empty> Handle(RoomId roomId, EventId eventId, Requester requester, ThreadSubscriptions subscriptions, CancellationToken ct)
    {
        await subscriptions.Unsubscribe(roomId, eventId, requester, ct);
        return default;
    }
}
