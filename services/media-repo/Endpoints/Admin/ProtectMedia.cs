using Matrix.Federation;
using Matrix.Http;
using Matrix.Storage.Media;

namespace Matrix.MediaRepo.Endpoints.Admin;

/// <summary>POST /_synapse/admin/v1/media/protect/{mediaId}: keeps it from being quarantined.</summary>
static class ProtectMedia
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_synapse/admin/v1/media/protect/{mediaId}", Handle);

    static async Task<Empty> Handle(string mediaId, Requester requester, MediaAdminStore store, ServerSigningKey own, CancellationToken ct)
    {
        requester.MustBeAdmin();
        await store.Protect(own.ServerName, mediaId, true, ct);
        return default;
    }
}
