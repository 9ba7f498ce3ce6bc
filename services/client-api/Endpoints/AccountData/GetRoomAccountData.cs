using System.Text.Json;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.AccountData;

/// <summary>GET /_matrix/client/v3/user/{userId}/rooms/{roomId}/account_data/{type}</summary>
static class GetRoomAccountData
{
    public static void Map(IEndpointRouteBuilder app) =>
        app.MapGet("/_matrix/client/v3/user/{userId}/rooms/{roomId}/account_data/{type}", Handle);

    static async Task<JsonElement> Handle(
        UserId userId, RoomId roomId, string type, Requester requester, AccountDataStore store, CancellationToken ct)
    {
        requester.MustBe(userId);
        return JsonElement.Parse(
            await store.FindForRoom(userId, roomId, type, ct) ?? throw MatrixException.NotFound("There is no account data of this type."));
    }
}
