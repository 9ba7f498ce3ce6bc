using Matrix.ClientApi.Keys;
using Matrix.Http;
using Matrix.Storage.Keys;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Matrix.ClientApi.Endpoints.KeyBackup;

/// <summary>POST /_matrix/client/v3/room_keys/version</summary>
static class PostBackupVersion
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/room_keys/version", Handle);

    static async Task<Response> Handle(Body<Request> body, Requester requester, KeyBackupStore store, CancellationToken ct)
    {
        requester.MustNotBeGuest();
        var (algorithm, authData) = (body.Value.Algorithm, body.Value.AuthData);
        if (!SignedObject.IsText(algorithm) || authData.ValueKind != JsonValueKind.Object)
            throw MatrixException.InvalidParam("A backup has an algorithm, and an object as auth_data.");
        return new Response(KeyBackups.Text(await store.Insert(requester.UserId.ToString(), algorithm, JsonMarshal.GetRawUtf8Value(authData).ToArray(), ct)));
    }

    sealed record Request(string Algorithm, JsonElement AuthData);

    sealed record Response(string Version);
}
