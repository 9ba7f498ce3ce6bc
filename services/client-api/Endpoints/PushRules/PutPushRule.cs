using System.Text.Json;
using Matrix.ClientApi.Accounts;
using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.ClientApi.Endpoints.PushRules;

/// <summary>PUT /_matrix/client/v3/pushrules/global/{kind}/{ruleId}</summary>
static class PutPushRule
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPut("/_matrix/client/v3/pushrules/global/{kind}/{ruleId}", Handle);

    static async Task<Empty> Handle(
        string kind, string ruleId, string? before, string? after, Body<Request> body, Requester requester, PushRulesets rulesets,
        CancellationToken ct)
    {
        requester.MustNotBeGuest();
        if (ruleId.StartsWith('.') || ruleId.AsSpan().ContainsAny('/', '\\'))
            throw MatrixException.InvalidParam("The id of a push rule may not begin with a dot or contain slashes.");
        if (kind == "postcontent") throw MatrixException.InvalidParam("Push rules of this kind are the server's alone.");
        var (actions, conditions, pattern) = body.Value;
        PushRuleActions.MustBeGood(actions);
        if (kind == "content" && pattern is null) throw MatrixException.MissingParam("pattern");
        var rule = new PushRule
        {
            RuleId = ruleId,
            Actions = actions,
            Conditions = kind is "override" or "underride" ? conditions ?? [] : null,
            Pattern = kind == "content" ? pattern : null,
        };
        await rulesets.Change(requester.UserId, ruleset => ruleset.Put(kind, rule, before, after), ct);
        return default;
    }

    sealed record Request(JsonElement[] Actions, PushCondition[]? Conditions, string? Pattern);
}
