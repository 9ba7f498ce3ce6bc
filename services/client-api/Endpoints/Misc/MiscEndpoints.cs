namespace Matrix.ClientApi.Endpoints.Misc;

static class MiscEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        GetTurnServer.Map(app);
        GetThirdPartyProtocols.Map(app);
    }
}
