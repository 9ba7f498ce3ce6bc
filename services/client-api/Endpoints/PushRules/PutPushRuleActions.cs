using System.Text.Json;
using Matrix.ClientApi.Accounts;
using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.PushRules;

/// <summary>PUT /_matrix/client/v3/pushrules/global/{kind}/{ruleId}/actions</summary>
static class PutPushRuleActions
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPut("/_matrix/client/v3/pushrules/global/{kind}/{ruleId}/actions", Handle);

    static async Task<Empty> Handle(
        string kind, string ruleId, Body<Request> body, Requester requester, PushRulesets rulesets, CancellationToken ct)
    {
        requester.MustNotBeGuest();
        PushRuleActions.MustBeGood(body.Value.Actions);
        await rulesets.Change(
            requester.UserId, ruleset => ruleset.Replace(kind, ruleId, rule => rule with { Actions = body.Value.Actions }), ct);
        return default;
    }

    sealed record Request(JsonElement[] Actions);
}
