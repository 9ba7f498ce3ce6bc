using Matrix.ClientApi.Accounts;
using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.PushRules;

/// <summary>GET /_matrix/client/v3/pushrules/global/{kind}/{ruleId}/enabled</summary>
static class GetPushRuleEnabled
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/pushrules/global/{kind}/{ruleId}/enabled", Handle);

    static async Task<Response> Handle(string kind, string ruleId, Requester requester, PushRulesets rulesets, CancellationToken ct) =>
        new((await rulesets.Get(requester.UserId, ct)).Get(kind, ruleId).Enabled);

    sealed record Response(bool Enabled);
}
