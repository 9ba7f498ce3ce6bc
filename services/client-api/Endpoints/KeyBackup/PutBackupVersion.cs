using Matrix.ClientApi.Keys;
using Matrix.Http;
using Matrix.Storage.Keys;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Matrix.ClientApi.Endpoints.KeyBackup;

/// <summary>PUT /_matrix/client/v3/room_keys/version/{version}</summary>
static class PutBackupVersion
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPut("/_matrix/client/v3/room_keys/version/{version}", Handle);

    static async Task<Empty> Handle(string version, Body<Request> body, Requester requester, KeyBackups backups, KeyBackupStore store, CancellationToken ct)
    {
        var backup = await backups.Get(requester, version, ct);
        if (body.Value.AuthData.ValueKind != JsonValueKind.Object)
            throw MatrixException.InvalidParam("auth_data must be an object.");
        if (body.Value.Algorithm != backup.Algorithm || (body.Value.Version is { } named && named != version))
            throw MatrixException.InvalidParam("Neither the algorithm nor the version of a backup can be changed.");
        await store.SetAuthData(requester.UserId.ToString(), backup.Version, JsonMarshal.GetRawUtf8Value(body.Value.AuthData).ToArray(), ct);
        return default;
    }

    sealed record Request(string Algorithm, JsonElement AuthData, string? Version);
}
