using Matrix.ClientApi.Threads;

namespace Matrix.ClientApi.Endpoints.Threads;

static class ThreadsEndpoints
{
    public static void Add(IServiceCollection services)
    {
        services.AddSingleton<ThreadRules>();
        services.AddSingleton<ThreadSubscriptions>();
    }

    public static void Map(IEndpointRouteBuilder app)
    {
        GetThreadSubscription.Map(app);
        PutThreadSubscription.Map(app);
        DeleteThreadSubscription.Map(app);
        GetThreadSubscriptions.Map(app);
    }
}
