using Matrix.ClientApi.Accounts;

namespace Matrix.ClientApi.Endpoints.Accounts;

/// <summary>GET /_matrix/client/v3/login</summary>
static class GetLogin
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/login", Handle);

    static Response Handle(AccountOptions options) => new([.. Flows(options)]);

    static IEnumerable<Flow> Flows(AccountOptions options)
    {
        if (options.PasswordConfig.Enabled) yield return new Flow(UiaStages.Password);
        if (options.LoginViaExistingSession.Enabled) yield return new Flow(UiaStages.Token, true);
    }

    sealed record Response(Flow[] Flows);

    sealed record Flow(string Type, bool? GetLoginToken = null);
}
