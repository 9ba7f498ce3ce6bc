using Matrix.ClientApi.Endpoints.History;
using Matrix.ClientApi.Sync.Devices;
using Matrix.ClientApi.Sync.Filters;
using Matrix.ClientApi.Sync.Presence;
using Matrix.ClientApi.Sync.Receipts;
using Matrix.ClientApi.Sync.Relations;
using Matrix.ClientApi.Sync.Typing;
using Matrix.ClientApi.Sync.Visibility;
using Matrix.Hosting.Configuration;
using Matrix.Storage;
using Matrix.Storage.Keys;
using Matrix.Storage.Sync;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Matrix.ClientApi.Sync;

static class SyncModule
{
    /// <summary>Sync and history. Needs accounts, rooms and replication.</summary>
    public static IServiceCollection AddSync(this IServiceCollection services)
    {
        services.TryAddSingleton<FilterStore>();
        services.TryAddSingleton<AccountDataStore>();
        services.AddSingleton<SyncStore>();
        services.AddSingleton<TimelineStore>();
        services.AddSingleton<DeviceKeyStore>();
        services.AddSingleton<DeviceListStore>();
        services.AddSingleton<ToDeviceStore>();
        services.AddSingleton<EventCache>();
        services.AddSingleton<RoomCountsCache>();
        services.AddSingleton<LazyMembers>();
        services.AddSingleton<FilterCache>();
        services.AddSingleton<RoomSights>();
        services.AddSingleton<IgnoredUsers>();
        services.AddSingleton<BlockedInvites>();
        services.AddSingleton<ErasedUsers>();
        services.AddSingleton<RelationStore>();
        services.AddSingleton<AggregationCache>();
        services.AddSingleton<Bundles>();
        services.AddSingleton<ReaderCaches>();
        services.AddSingleton<VisibilityFilter>();
        services.AddSingleton<MembershipHistory>();
        services.AddSingleton<ChangeFinder>();
        services.AddSingleton<TimelineReader>();
        services.AddSingleton<RoomStateReader>();
        services.AddSingleton<StrippedStateReader>();
        services.AddSingleton<ReceiptStore>();
        services.AddSingleton<ReceiptCache>();
        services.AddSingleton<ReadMarkers>();
        services.AddSingleton<SyncReceipts>();
        services.AddSingleton<TypingRooms>();
        services.AddHostedService(provider => provider.GetRequiredService<TypingRooms>());
        services.AddSingleton<SyncTyping>();
        services.AddSingleton<SyncAccountData>();
        services.AddSingleton<ToDeviceReader>();
        services.AddSingleton<ToDeviceSweeper>();
        services.AddHostedService(provider => provider.GetRequiredService<ToDeviceSweeper>());
        services.AddSingleton<OneTimeKeyCounts>();
        services.AddSingleton<SharedRooms>();
        services.AddSingleton<DeviceListReader>();
        services.AddSingleton<SyncUnread>();
        services.AddMatrixOptions<PresenceOptions>("presence");
        services.AddSingleton<PresenceBoard>();
        services.AddSingleton<PresenceIndex>();
        services.AddSingleton<LocalPresence>();
        services.AddSingleton<PresenceExchange>();
        services.AddHostedService(provider => provider.GetRequiredService<PresenceExchange>());
        services.AddSingleton<SyncPresence>();
        services.AddSingleton<SyncBuilder>();
        services.AddSingleton<FederationFormat>();
        services.AddMatrixOptions<FirstSyncOptions>("first_syncs");
        services.AddSingleton<FirstSyncs>();
        services.AddSingleton<CatchUp>();
        services.AddSingleton<LostPositions>();
        services.AddHostedService(provider => provider.GetRequiredService<LostPositions>());
        services.AddSingleton<SyncEngine>();
        services.AddSingleton<RoomReader>();
        services.AddSingleton<RemotePast>();
        services.AddSingleton<NearEvents>();
        services.AddSingleton<EventReader>();
        services.AddSingleton<RelationPage>();
        services.AddSingleton<StateOfPage>();
        services.AddSingleton<SyncUsers>();
        services.AddSingleton<SyncNews>();
        services.AddHostedService(provider => provider.GetRequiredService<SyncNews>());
        services.AddSingleton<SyncHub>();
        services.AddHostedService(provider => provider.GetRequiredService<SyncHub>());
        return services;
    }
}
