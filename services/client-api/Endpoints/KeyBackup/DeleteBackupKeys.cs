using Matrix.ClientApi.Keys;
using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.KeyBackup;

/// <summary>DELETE /_matrix/client/v3/room_keys/keys</summary>
static class DeleteBackupKeys
{
    public static void Map(IEndpointRouteBuilder app) => app.MapDelete("/_matrix/client/v3/room_keys/keys", Handle);

    static Task<BackupCounts> Handle(string? version, Requester requester, KeyBackups backups, CancellationToken ct) =>
        backups.Delete(requester, version, null, null, ct);
}
