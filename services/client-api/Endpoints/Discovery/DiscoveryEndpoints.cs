namespace Matrix.ClientApi.Endpoints.Discovery;

static class DiscoveryEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        GetVersions.Map(app);
        GetWellKnownClient.Map(app);
        GetWellKnownSupport.Map(app);
        GetWellKnownPolicyServer.Map(app);
        GetCapabilities.Map(app);
    }
}
