using Matrix.Http;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Admin;

/// <summary>DELETE /_synapse/admin/v1/registration_tokens/{token}</summary>
static class DeleteRegistrationToken
{
    public static void Map(IEndpointRouteBuilder app) => app.MapDelete("/_synapse/admin/v1/registration_tokens/{token}", Handle);

    static async Task<Empty> Handle(string token, Requester requester, RegistrationStore store, CancellationToken ct)
    {
        requester.MustBeAdmin();
        if (!await store.DeleteToken(token, ct)) throw MatrixException.NotFound("There is no such registration token.");
        return default;
    }
}
