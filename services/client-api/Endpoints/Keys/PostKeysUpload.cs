using System.Text.Json;
using Matrix.ClientApi.Keys;
using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.Keys;

/// <summary>POST /_matrix/client/v3/keys/upload</summary>
static class PostKeysUpload
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/keys/upload", Handle);

    static async Task<Response> Handle(Body<Request> body, Requester requester, KeyUpload upload, CancellationToken ct) =>
        new(await upload.Upload(requester, body.Value.DeviceKeys, body.Value.OneTimeKeys, body.Value.FallbackKeys, ct));

    sealed record Request(JsonElement? DeviceKeys, JsonElement? OneTimeKeys, JsonElement? FallbackKeys);

    sealed record Response(IReadOnlyDictionary<string, long> OneTimeKeyCounts);
}
