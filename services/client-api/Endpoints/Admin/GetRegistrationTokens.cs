using Matrix.Http;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Admin;

/// <summary>GET /_synapse/admin/v1/registration_tokens</summary>
static class GetRegistrationTokens
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_synapse/admin/v1/registration_tokens", Handle);

    static async Task<Response> Handle(bool? valid, Requester requester, RegistrationStore store, TimeProvider time, CancellationToken ct)
    {
        requester.MustBeAdmin();
        var tokens = await store.ListTokens(ct);
        return new Response([.. tokens.Where(token => valid is null || token.IsValid(time.GetUtcNow()) == valid).Select(RegistrationTokenView.Of)]);
    }

    sealed record Response(Dictionary<string, object?>[] RegistrationTokens);
}
