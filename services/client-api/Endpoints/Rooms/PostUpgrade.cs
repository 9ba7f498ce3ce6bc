using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms;

namespace Matrix.ClientApi.Endpoints.Rooms;

/// <summary>POST /_matrix/client/v3/rooms/{roomId}/upgrade</summary>
static class PostUpgrade
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/rooms/{roomId}/upgrade", Handle);

    static async Task<Response> Handle(
        RoomId roomId, Body<Request> body, Requester requester, RoomUpgrade rooms, RoomSuccession succession, RateLimits limits, CancellationToken ct)
    {
        requester.MustNotBeGuest();
        requester.MustNotBeSuspended();
        await limits.CheckMessage(requester, ct);
        var creators = body.Value.AdditionalCreators ?? [];
        var replacement = await rooms.Upgrade(roomId, requester.UserId, body.Value.NewVersion, creators, ct);
        await succession.Follow(requester.UserId, replacement, ct);
        return new Response(replacement);
    }

    sealed record Request(string NewVersion, IReadOnlyList<UserId>? AdditionalCreators);

    sealed record Response(RoomId ReplacementRoom);
}
