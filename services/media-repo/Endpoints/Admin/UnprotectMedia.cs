using Matrix.Federation;
using Matrix.Http;
using Matrix.Storage.Media;

namespace Matrix.MediaRepo.Endpoints.Admin;

/// <summary>POST /_synapse/admin/v1/media/unprotect/{mediaId}: lets it be quarantined again.</summary>
static class UnprotectMedia
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_synapse/admin/v1/media/unprotect/{mediaId}", Handle);

    static async Task<Empty> Handle(string mediaId, Requester requester, MediaAdminStore store, ServerSigningKey own, CancellationToken ct)
    {
        requester.MustBeAdmin();
        await store.Protect(own.ServerName, mediaId, false, ct);
        return default;
    }
}
