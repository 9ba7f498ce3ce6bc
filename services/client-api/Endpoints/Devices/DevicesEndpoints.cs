namespace Matrix.ClientApi.Endpoints.Devices;

static class DevicesEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
    }
}
