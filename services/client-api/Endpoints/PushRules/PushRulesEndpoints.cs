namespace Matrix.ClientApi.Endpoints.PushRules;

static class PushRulesEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        GetPushRules.Map(app);
        GetGlobalPushRules.Map(app);
        GetPushRule.Map(app);
        PutPushRule.Map(app);
        DeletePushRule.Map(app);
        GetPushRuleEnabled.Map(app);
        PutPushRuleEnabled.Map(app);
        GetPushRuleActions.Map(app);
        PutPushRuleActions.Map(app);
    }
}
