namespace Matrix.ClientApi.Endpoints.Filters;

static class FiltersEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        PostFilter.Map(app);
        GetFilter.Map(app);
    }
}
