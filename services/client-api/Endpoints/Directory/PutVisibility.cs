using Matrix.ClientApi.Endpoints.Rooms;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms;

namespace Matrix.ClientApi.Endpoints.Directory;

/// <summary>PUT /_matrix/client/v3/directory/list/room/{roomId}</summary>
static class PutVisibility
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPut("/_matrix/client/v3/directory/list/room/{roomId}", Handle);

    static async Task<Empty> Handle(RoomId roomId, Body<Request> body, Requester requester, RoomAliases aliases, CancellationToken ct)
    {
        requester.MustNotBeGuest();
        var published = Visibility.IsPublic(body.Value.Visibility ?? "public");
        await aliases.SetPublished(roomId, published, requester.UserId, requester.IsAdmin, ct);
        return default;
    }

    sealed record Request(string? Visibility);
}
