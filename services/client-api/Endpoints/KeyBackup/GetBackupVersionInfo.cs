using Matrix.ClientApi.Keys;
using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.KeyBackup;

/// <summary>GET /_matrix/client/v3/room_keys/version/{version}</summary>
static class GetBackupVersionInfo
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/room_keys/version/{version}", Handle);

    static async Task<GetBackupVersion.Response> Handle(string version, Requester requester, KeyBackups backups, CancellationToken ct) =>
        GetBackupVersion.Answer(await backups.Get(requester, version, ct));
}
