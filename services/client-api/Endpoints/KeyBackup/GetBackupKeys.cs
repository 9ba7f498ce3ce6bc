using Matrix.ClientApi.Keys;
using Matrix.ClientApi.Sync;
using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.KeyBackup;

/// <summary>GET /_matrix/client/v3/room_keys/keys</summary>
static class GetBackupKeys
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/room_keys/keys", Handle);

    static async Task Handle(
        HttpContext context, string? version, Requester requester, KeyBackups backups, CancellationToken ct)
    {
        var answer = BackupWriter.Rooms(await backups.List(requester, version, null, null, ct));
        await JsonBytes.Write(context, answer, ct);
    }
}
