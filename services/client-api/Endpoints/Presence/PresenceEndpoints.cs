namespace Matrix.ClientApi.Endpoints.Presence;

static class PresenceEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        GetPresence.Map(app);
        PutPresence.Map(app);
    }
}
