using Matrix.ClientApi.Accounts;

namespace Matrix.ClientApi.Endpoints.Accounts;

/// <summary>GET /_matrix/client/v3/login</summary>
static class GetLogin
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/login", Handle);

    static Response Handle(AccountOptions options) =>
        new(options.PasswordConfig.Enabled ? [new Flow(UiaStages.Password)] : []);

    sealed record Response(Flow[] Flows);

    sealed record Flow(string Type);
}
