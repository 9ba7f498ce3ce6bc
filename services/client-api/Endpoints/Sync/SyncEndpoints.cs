namespace Matrix.ClientApi.Endpoints.Sync;

static class SyncEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        GetSync.Map(app);
        PostSlidingSync.Map(app);
        PostUnstableSlidingSync.Map(app);
    }
}
