using Matrix.ClientApi.Accounts;
using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.Discovery;

/// <summary>GET /.well-known/matrix/policy_server: the key of the policy server that this name stands for, where the operator runs one.</summary>
static class GetWellKnownPolicyServer
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/.well-known/matrix/policy_server", Handle);

    static Response Handle(AccountOptions options) => options.PolicyServerPublicKey is { } key
        ? new Response(new Dictionary<string, string> { ["ed25519"] = key })
        : throw MatrixException.NotFound("There is no policy server here.");

    sealed record Response(Dictionary<string, string> PublicKeys);
}
