using System.Text.Json;
using Matrix.ClientApi.Accounts;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.AccountData;

/// <summary>GET /_matrix/client/v3/user/{userId}/rooms/{roomId}/tags</summary>
static class GetTags
{
    static readonly JsonElement None = JsonElement.Parse("{}");

    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/user/{userId}/rooms/{roomId}/tags", Handle);

    static async Task<Response> Handle(UserId userId, RoomId roomId, Requester requester, AccountDataStore store, CancellationToken ct)
    {
        requester.MustBe(userId);
        var content = await store.FindForRoom(userId, roomId, TagChanged.Type, ct);
        return new Response(content is not null && JsonElement.Parse(content).TryGetProperty("tags", out var tags) ? tags : None);
    }

    sealed record Response(JsonElement Tags);
}
