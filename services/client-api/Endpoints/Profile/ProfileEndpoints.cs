namespace Matrix.ClientApi.Endpoints.Profile;

static class ProfileEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
    }
}
