using Matrix.ClientApi.Accounts;
using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.ClientApi.Endpoints.PushRules;

/// <summary>GET /_matrix/client/v3/pushrules/global/</summary>
static class GetGlobalPushRules
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/pushrules/global/", Handle);

    static Task<PushRuleset> Handle(Requester requester, PushRulesets rulesets, CancellationToken ct) => rulesets.Get(requester.UserId, ct);
}
