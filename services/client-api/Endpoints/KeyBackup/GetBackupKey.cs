using Matrix.ClientApi.Keys;
using Matrix.ClientApi.Sync;
using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.ClientApi.Endpoints.KeyBackup;

/// <summary>GET /_matrix/client/v3/room_keys/keys/{roomId}/{sessionId}</summary>
static class GetBackupKey
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/room_keys/keys/{roomId}/{sessionId}", Handle);

    static async Task Handle(
        HttpContext context, RoomId roomId, string sessionId, string? version, Requester requester, KeyBackups backups, CancellationToken ct)
    {
        var found = await backups.List(requester, version, roomId.ToString(), sessionId, ct);
        if (found.Count == 0)
            throw MatrixException.NotFound("There is no such key.");
        await JsonBytes.Write(context, BackupWriter.Key(found[0]), ct);
    }
}
