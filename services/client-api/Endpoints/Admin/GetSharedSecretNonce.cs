using Matrix.ClientApi.Accounts;
using Matrix.Http;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Admin;

/// <summary>GET /_synapse/admin/v1/register</summary>
static class GetSharedSecretNonce
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_synapse/admin/v1/register", Handle);

    static async Task<Response> Handle(AccountOptions options, RegistrationStore registration, CancellationToken ct)
    {
        if (options.SharedSecret is null) throw MatrixException.Unknown("Shared secret registration is not enabled.", 400);
        return new Response(await registration.InsertNonce(ct));
    }

    sealed record Response(string Nonce);
}
