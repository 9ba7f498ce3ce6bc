using Matrix.ClientApi.Keys;
using Matrix.Http;
using System.Text.Json;

namespace Matrix.ClientApi.Endpoints.KeyBackup;

/// <summary>PUT /_matrix/client/v3/room_keys/keys</summary>
static class PutBackupKeys
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPut("/_matrix/client/v3/room_keys/keys", Handle);

    static Task<BackupCounts> Handle(
        string? version, Body<JsonElement> body, Requester requester, KeyBackups backups, CancellationToken ct) =>
        backups.Store(requester, version, KeyBackups.ReadRooms(body.Value), ct);
}
