using Matrix.ClientApi.Accounts;
using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.ClientApi.Endpoints.PushRules;

/// <summary>GET /_matrix/client/v3/pushrules/</summary>
static class GetPushRules
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/pushrules/", Handle);

    static async Task<Response> Handle(Requester requester, PushRulesets rulesets, CancellationToken ct) =>
        new(await rulesets.Get(requester.UserId, ct));

    sealed record Response(PushRuleset Global);
}
