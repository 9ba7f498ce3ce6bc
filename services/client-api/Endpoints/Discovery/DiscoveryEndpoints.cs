namespace Matrix.ClientApi.Endpoints.Discovery;

static class DiscoveryEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
    }
}
