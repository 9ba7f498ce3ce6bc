using System.Text.Json;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.AccountData;

/// <summary>GET /_matrix/client/v3/user/{userId}/account_data/{type}</summary>
static class GetGlobalAccountData
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/user/{userId}/account_data/{type}", Handle);

    static async Task<JsonElement> Handle(UserId userId, string type, Requester requester, AccountDataStore store, CancellationToken ct)
    {
        requester.MustBe(userId);
        return JsonElement.Parse(
            await store.FindGlobal(userId, type, ct) ?? throw MatrixException.NotFound("There is no account data of this type."));
    }
}
