using Matrix.ClientApi.Keys;
using Matrix.ClientApi.Sync;
using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.ClientApi.Endpoints.KeyBackup;

/// <summary>GET /_matrix/client/v3/room_keys/keys/{roomId}</summary>
static class GetBackupRoomKeys
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/room_keys/keys/{roomId}", Handle);

    static async Task Handle(
        HttpContext context, RoomId roomId, string? version, Requester requester, KeyBackups backups, CancellationToken ct)
    {
        var answer = BackupWriter.Room(await backups.List(requester, version, roomId.ToString(), null, ct));
        await JsonBytes.Write(context, answer, ct);
    }
}
