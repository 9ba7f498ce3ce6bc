using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms;

namespace Matrix.ClientApi.Endpoints.Directory;

/// <summary>PUT /_matrix/client/v3/directory/room/{roomAlias}</summary>
static class PutAlias
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPut("/_matrix/client/v3/directory/room/{roomAlias}", Handle);

    static async Task<Empty> Handle(RoomAlias roomAlias, Body<Request> body, Requester requester, RoomAliases aliases, CancellationToken ct)
    {
        requester.MustNotBeGuest();
        await aliases.Add(roomAlias, body.Value.RoomId, requester.UserId, ct);
        return default;
    }

    sealed record Request(RoomId RoomId);
}
