using Matrix.Hosting.Configuration;

namespace Matrix.ClientApi.Endpoints.Misc;

static class MiscEndpoints
{
    public static void Add(IServiceCollection services) => services.AddMatrixOptions<TurnOptions>();

    public static void Map(IEndpointRouteBuilder app)
    {
        GetTurnServer.Map(app);
        GetThirdPartyProtocols.Map(app);
        GetThirdPartyProtocol.Map(app);
        GetThirdPartyLocations.Map(app);
        GetThirdPartyLocationsOfProtocol.Map(app);
        GetThirdPartyUsers.Map(app);
        GetThirdPartyUsersOfProtocol.Map(app);
        PostOpenIdToken.Map(app);
        GetRtcTransports.Map(app);
        GetUnstableRtcTransports.Map(app);
    }
}
