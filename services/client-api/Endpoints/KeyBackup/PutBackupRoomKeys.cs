using Matrix.ClientApi.Keys;
using Matrix.Http;
using Matrix.Protocol;
using System.Text.Json;

namespace Matrix.ClientApi.Endpoints.KeyBackup;

/// <summary>PUT /_matrix/client/v3/room_keys/keys/{roomId}</summary>
static class PutBackupRoomKeys
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPut("/_matrix/client/v3/room_keys/keys/{roomId}", Handle);

    static Task<BackupCounts> Handle(
        RoomId roomId, string? version, Body<JsonElement> body, Requester requester, KeyBackups backups, CancellationToken ct) =>
        backups.Store(requester, version, KeyBackups.ReadRoom(roomId.ToString(), body.Value), ct);
}
