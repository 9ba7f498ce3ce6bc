using Matrix.ClientApi.Accounts;
using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.PushRules;

/// <summary>DELETE /_matrix/client/v3/pushrules/global/{kind}/{ruleId}</summary>
static class DeletePushRule
{
    public static void Map(IEndpointRouteBuilder app) => app.MapDelete("/_matrix/client/v3/pushrules/global/{kind}/{ruleId}", Handle);

    static async Task<Empty> Handle(string kind, string ruleId, Requester requester, PushRulesets rulesets, CancellationToken ct)
    {
        requester.MustNotBeGuest();
        await rulesets.Change(requester.UserId, ruleset => ruleset.Delete(kind, ruleId), ct);
        return default;
    }
}
