namespace Matrix.ClientApi.Endpoints.Dehydration;

static class DehydrationEndpoints
{
    public static void Add(IServiceCollection services) => services.AddSingleton<DehydratedEvents>();

    public static void Map(IEndpointRouteBuilder app)
    {
        PutDehydratedDevice.Map(app);
        GetDehydratedDevice.Map(app);
        DeleteDehydratedDevice.Map(app);
        GetDehydratedEvents.Map(app);
        PostDehydratedEvents.Map(app);
    }
}
