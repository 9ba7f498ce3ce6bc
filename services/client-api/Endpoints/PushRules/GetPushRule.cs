using Matrix.ClientApi.Accounts;
using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.ClientApi.Endpoints.PushRules;

/// <summary>GET /_matrix/client/v3/pushrules/global/{kind}/{ruleId}</summary>
static class GetPushRule
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/pushrules/global/{kind}/{ruleId}", Handle);

    static async Task<PushRule> Handle(string kind, string ruleId, Requester requester, PushRulesets rulesets, CancellationToken ct) =>
        (await rulesets.Get(requester.UserId, ct)).Get(kind, ruleId);
}
