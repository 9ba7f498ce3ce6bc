using Matrix.FederationSender.Queues;
using Matrix.FederationSender.Routing;
using Matrix.FederationSender.Sharding;
using Matrix.Rooms;
using Matrix.Storage;
using Matrix.Storage.Federation;
using Matrix.Storage.Keys;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Matrix.FederationSender;

/// <summary>Follows the log and delivers to other servers what they have to be told. It serves no routes.</summary>
public static class FederationSenderModule
{
    public static WebApplicationBuilder AddFederationSender(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddRooms(builder.Configuration);
        services.AddSection<SenderOptions>(builder.Configuration, "federation_sender");
        services.TryAddSingleton<OutgoingEventStore>();
        services.TryAddSingleton<OutgoingMessageStore>();
        services.TryAddSingleton<DestinationStore>();
        services.TryAddSingleton<OutgoingEduStore>();
        services.TryAddSingleton<DeviceKeyStore>();
        services.AddSingleton<StoredEdus>();
        services.AddSingleton<LagReader>();
        services.AddSingleton<TransactionSender>();
        services.AddSingleton<DestinationDrain>();
        services.AddSingleton<Deliveries>();
        services.AddSingleton<RoomDestinations>();
        services.AddSingleton<PresenceTeller>();
        services.AddSingleton<EduRouter>();
        services.AddSingleton<Ephemera>();
        services.AddSingleton<LogRouter>();
        services.AddSingleton<DeliveryRecord>();
        services.AddHostedService<ShardHolder>();
        return builder;
    }
}
