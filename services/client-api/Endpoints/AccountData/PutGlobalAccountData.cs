using System.Text.Json;
using Matrix.ClientApi.Accounts;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Replication;

namespace Matrix.ClientApi.Endpoints.AccountData;

/// <summary>PUT /_matrix/client/v3/user/{userId}/account_data/{type}</summary>
static class PutGlobalAccountData
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPut("/_matrix/client/v3/user/{userId}/account_data/{type}", Handle);

    static async Task<Empty> Handle(
        UserId userId, string type, Body<JsonElement> content, Requester requester, LogWriter log, CancellationToken ct)
    {
        requester.MustBe(userId);
        AccountDataTypes.MustBeClients(type);
        AccountDataTypes.MustFit(type, content.Utf8);
        await log.Append(new AccountDataChanged(userId, null, type, content.Value.GetRawText()), ct);
        return default;
    }
}
