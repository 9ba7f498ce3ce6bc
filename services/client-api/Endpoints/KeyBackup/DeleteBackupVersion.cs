using Matrix.ClientApi.Keys;
using Matrix.Http;
using Matrix.Storage.Keys;

namespace Matrix.ClientApi.Endpoints.KeyBackup;

/// <summary>DELETE /_matrix/client/v3/room_keys/version/{version}</summary>
static class DeleteBackupVersion
{
    public static void Map(IEndpointRouteBuilder app) => app.MapDelete("/_matrix/client/v3/room_keys/version/{version}", Handle);

    static async Task<Empty> Handle(string version, Requester requester, KeyBackupStore store, CancellationToken ct) =>
        await store.Delete(requester.UserId.ToString(), KeyBackups.Version(version), ct) ? default : throw MatrixException.NotFound("You have no such backup.");
}
