using Matrix.ClientApi.Delayed;
using Matrix.Hosting.Configuration;
using Matrix.Storage.Rooms;

namespace Matrix.ClientApi.Endpoints.Delayed;

static class DelayedEndpoints
{
    public static void Add(IServiceCollection services)
    {
        services.AddMatrixOptions<DelayedEventOptions>();
        services.AddSingleton<DelayedEventStore>();
        services.AddSingleton<DelayedEvents>();
        services.AddSingleton<DelayedEventActions>();
        services.AddHostedService<DelayedEventSender>();
    }

    public static void Map(IEndpointRouteBuilder app)
    {
        PutDelayedEvent.Map(app);
        GetDelayedEvents.Map(app);
        GetDelayedEvent.Map(app);
        PostDelayedEventAction.Map(app);
        PostDelayedEvent.Map(app);
    }
}
