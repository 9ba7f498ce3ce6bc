using Matrix.Http;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Admin;

/// <summary>GET /_synapse/admin/v1/registration_tokens/{token}</summary>
static class GetRegistrationToken
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_synapse/admin/v1/registration_tokens/{token}", Handle);

    static async Task<Dictionary<string, object?>> Handle(string token, Requester requester, RegistrationStore store, CancellationToken ct)
    {
        requester.MustBeAdmin();
        return RegistrationTokenView.Of(await store.FindToken(token, ct) ?? throw MatrixException.NotFound("There is no such registration token."));
    }
}
