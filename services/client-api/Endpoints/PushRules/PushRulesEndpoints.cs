namespace Matrix.ClientApi.Endpoints.PushRules;

static class PushRulesEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
    }
}
