using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms;

namespace Matrix.ClientApi.Endpoints.Directory;

/// <summary>DELETE /_matrix/client/v3/directory/room/{roomAlias}</summary>
static class DeleteAlias
{
    public static void Map(IEndpointRouteBuilder app) => app.MapDelete("/_matrix/client/v3/directory/room/{roomAlias}", Handle);

    static async Task<Empty> Handle(RoomAlias roomAlias, Requester requester, RoomAliases aliases, CancellationToken ct)
    {
        requester.MustNotBeGuest();
        await aliases.Remove(roomAlias, requester.UserId, requester.IsAdmin, ct);
        return default;
    }
}
