using System.Text.Json;
using Matrix.ClientApi.Accounts;
using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.PushRules;

/// <summary>GET /_matrix/client/v3/pushrules/global/{kind}/{ruleId}/actions</summary>
static class GetPushRuleActions
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/pushrules/global/{kind}/{ruleId}/actions", Handle);

    static async Task<Response> Handle(string kind, string ruleId, Requester requester, PushRulesets rulesets, CancellationToken ct) =>
        new((await rulesets.Get(requester.UserId, ct)).Get(kind, ruleId).Actions);

    sealed record Response(IReadOnlyList<JsonElement> Actions);
}
