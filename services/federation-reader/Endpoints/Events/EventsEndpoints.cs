using Matrix.FederationReader.Receiving;
using Matrix.Hosting.Configuration;
using Matrix.Storage.Inbox;
using Matrix.Storage.Sync;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Matrix.FederationReader.Endpoints.Events;

/// <summary>Events of rooms between servers.</summary>
static class EventsEndpoints
{
    public static void Add(IServiceCollection services)
    {
        services.AddMatrixOptions<ReceivingOptions>("federation_receiving");
        services.TryAddSingleton<TimelineStore>();
        services.AddSingleton<InboxStore>();
        services.AddSingleton<InboxLanes>();
        services.AddSingleton<InboxWorker>();
        services.AddHostedService(provider => provider.GetRequiredService<InboxWorker>());
        services.AddHostedService<TransactionPurge>();
        services.AddSingleton<RoomEvents>();
        services.AddSingleton<TransactionReceiver>();
        services.AddSingleton<FederatedRooms>();
        services.AddSingleton<PduAnswer>();
        services.AddSingleton<StateBefore>();
    }

    public static void Map(IEndpointRouteBuilder app)
    {
        PutSend.Map(app);
        GetEvent.Map(app);
        GetState.Map(app);
        GetStateIds.Map(app);
        GetEventAuth.Map(app);
        GetBackfill.Map(app);
        PostGetMissingEvents.Map(app);
        GetTimestampToEvent.Map(app);
    }
}
