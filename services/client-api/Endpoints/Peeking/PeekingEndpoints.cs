namespace Matrix.ClientApi.Endpoints.Peeking;

static class PeekingEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        GetRoomInitialSync.Map(app);
        GetEvents.Map(app);
        GetEventById.Map(app);
        GetInitialSync.Map(app);
    }
}
