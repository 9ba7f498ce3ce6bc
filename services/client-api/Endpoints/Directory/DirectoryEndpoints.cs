namespace Matrix.ClientApi.Endpoints.Directory;

static class DirectoryEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        GetAlias.Map(app);
        PutAlias.Map(app);
        DeleteAlias.Map(app);
        GetVisibility.Map(app);
        PutVisibility.Map(app);
        GetPublicRooms.Map(app);
        PostPublicRooms.Map(app);
    }
}
