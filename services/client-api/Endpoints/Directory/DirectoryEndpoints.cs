namespace Matrix.ClientApi.Endpoints.Directory;

static class DirectoryEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
    }
}
