using Matrix.ClientApi.Accounts;
using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.PushRules;

/// <summary>PUT /_matrix/client/v3/pushrules/global/{kind}/{ruleId}/enabled</summary>
static class PutPushRuleEnabled
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPut("/_matrix/client/v3/pushrules/global/{kind}/{ruleId}/enabled", Handle);

    static async Task<Empty> Handle(
        string kind, string ruleId, Body<Request> body, Requester requester, PushRulesets rulesets, CancellationToken ct)
    {
        requester.MustNotBeGuest();
        await rulesets.Change(
            requester.UserId, ruleset => ruleset.Replace(kind, ruleId, rule => rule with { Enabled = body.Value.Enabled }), ct);
        return default;
    }

    sealed record Request(bool Enabled);
}
