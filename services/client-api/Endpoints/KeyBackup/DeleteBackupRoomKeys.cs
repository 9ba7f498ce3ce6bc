using Matrix.ClientApi.Keys;
using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.ClientApi.Endpoints.KeyBackup;

/// <summary>DELETE /_matrix/client/v3/room_keys/keys/{roomId}</summary>
static class DeleteBackupRoomKeys
{
    public static void Map(IEndpointRouteBuilder app) => app.MapDelete("/_matrix/client/v3/room_keys/keys/{roomId}", Handle);

    static Task<BackupCounts> Handle(RoomId roomId, string? version, Requester requester, KeyBackups backups, CancellationToken ct) =>
        backups.Delete(requester, version, roomId.ToString(), null, ct);
}
