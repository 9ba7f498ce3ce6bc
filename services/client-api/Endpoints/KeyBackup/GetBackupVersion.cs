using Matrix.ClientApi.Keys;
using Matrix.Http;
using System.Text.Json;

namespace Matrix.ClientApi.Endpoints.KeyBackup;

/// <summary>GET /_matrix/client/v3/room_keys/version</summary>
static class GetBackupVersion
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/room_keys/version", Handle);

    static async Task<Response> Handle(Requester requester, KeyBackups backups, CancellationToken ct) => Answer(await backups.Get(requester, null, ct));

    internal static Response Answer(Storage.Keys.KeyBackup backup) => new(
        backup.Algorithm, JsonElement.Parse(backup.AuthData), backup.Count, KeyBackups.Text(backup.Etag), KeyBackups.Text(backup.Version));

    internal sealed record Response(string Algorithm, JsonElement AuthData, long Count, string Etag, string Version);
}
