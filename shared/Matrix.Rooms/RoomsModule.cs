using Matrix.Federation;
using Matrix.Replication;
using Matrix.Rooms.Access;
using Matrix.Rooms.Directories;
using Matrix.Rooms.Fetching;
using Matrix.Rooms.Joining;
using Matrix.Rooms.Receiving;
using Matrix.Rooms.Membership;
using Matrix.Rooms.Policy;
using Matrix.Rooms.Resolution;
using Matrix.Rooms.Spaces;
using Matrix.Rooms.State;
using Matrix.Rooms.Unread;
using Matrix.Rooms.Writing;
using Matrix.Storage;
using Matrix.Storage.Caching;
using Matrix.Storage.Rooms;
using Matrix.Storage.Sync;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Matrix.Rooms;

public static class RoomsModule
{
    /// <summary>Adds rooms: reading their state, writing events. Needs a database and the log. May be called by every module.</summary>
    public static IServiceCollection AddRooms(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<RoomOptions>()
            .Configure(options => options.DefaultRoomVersion = configuration["default_room_version"] ?? options.DefaultRoomVersion)
            .ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<RoomOptions>, RoomOptionsValidator>());
        services.AddOptions<PartialJoinOptions>().Configure(options => options.Read(configuration.GetSection("partial_joins"))).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<PartialJoinOptions>, PartialJoinOptionsValidator>());
        services.AddFederation(configuration);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<NidAllocator>();
        services.TryAddSingleton<RoomStore>();
        services.TryAddSingleton<EventStore>();
        services.TryAddSingleton<TimelineGapStore>();
        services.TryAddSingleton<PartialRoomStore>();
        services.TryAddSingleton<PartialRooms>();
        services.TryAddSingleton<MembershipStore>();
        services.TryAddSingleton<RoomServers>();
        services.TryAddSingleton<MemberProfileStore>();
        services.TryAddSingleton<AliasStore>();
        services.TryAddSingleton<RoomSummaryStore>();
        services.TryAddSingleton<StateNodeStore>();
        services.AddCaches(configuration);
        services.TryAddSingleton(p => new StateNodeCache(p.GetRequiredService<Caches>()));
        services.TryAddSingleton<StateTree>();
        services.TryAddSingleton<StateEvents>();
        services.TryAddSingleton<EventStates>();
        services.TryAddSingleton<AuthIndexStore>();
        services.TryAddSingleton<AuthIndex>();
        services.TryAddSingleton<AuthBacklog>();
        services.TryAddSingleton<StateResolver>();
        services.TryAddSingleton<RoomFinder>();
        services.TryAddSingleton<RoomHeads>();
        services.TryAddSingleton<PolicyServers>();
        services.TryAddSingleton<EventBuilding>();
        services.TryAddSingleton<UnreadStore>();
        services.TryAddSingleton<PushRuleCache>();
        services.TryAddSingleton<ThreadSubscriptionStore>();
        services.TryAddSingleton<ThreadSubscribers>();
        services.TryAddSingleton<RoomAudiences>();
        services.TryAddSingleton<EventThreads>();
        services.TryAddSingleton<EventNotices>();
        services.TryAddSingleton<PushRuleChanges>();
        services.TryAddSingleton<PushJudge>();
        services.TryAddSingleton<UnreadCounts>();
        services.TryAddSingleton<WrittenEvents>();
        services.TryAddSingleton(p => new RoomWriter(p.GetRequiredService<RoomFinder>(), p.GetRequiredService<RoomHeads>(),
            p.GetRequiredService<EventBuilding>(), p.GetRequiredService<EventStore>(), p.GetRequiredService<EventNotices>(),
            p.GetRequiredService<PartialRooms>(), p.GetRequiredService<WrittenEvents>()));
        services.TryAddSingleton<AsideEvents>();
        services.TryAddSingleton(p => new RoomReceiver(p.GetRequiredService<RoomWriter>(), p.GetRequiredService<EventBuilding>(),
            p.GetRequiredService<EventStore>(), p.GetRequiredService<RoomStore>(), p.GetRequiredService<AsideEvents>(), p.GetRequiredService<TimelineGapStore>()));
        AddFetching(services);
        AddJoining(services);
        services.TryAddSingleton<RoomState>();
        services.TryAddSingleton<RoomPreload>();
        services.TryAddSingleton<RoomMembership>();
        services.TryAddSingleton<AccountDataStore>();
        services.TryAddSingleton<InviteBlocks>();
        services.TryAddSingleton<RoomCreator>();
        services.TryAddSingleton<RoomAliases>();
        services.TryAddSingleton<RoomUpgrade>();
        return services;
    }

    static void AddFetching(IServiceCollection services)
    {
        services.TryAddSingleton(new FetchingOptions());
        services.TryAddSingleton<EventGraphStore>();
        services.TryAddSingleton<AuthChains>();
        services.TryAddSingleton<AccountStore>();
        services.TryAddSingleton<RoomAcls>();
        services.TryAddSingleton<RoomResidency>();
        services.TryAddSingleton<ServerVisibility>();
        services.TryAddSingleton<EventRequests>();
        services.TryAddSingleton<MissingAuth>();
        services.TryAddSingleton<MissingState>();
        services.TryAddSingleton(p => new MissingEvents(p.GetRequiredService<RoomReceiver>(), p.GetRequiredService<EventRequests>(),
            p.GetRequiredService<MissingAuth>(), p.GetRequiredService<MissingState>(), p.GetRequiredService<EventStore>(), p.GetRequiredService<RoomStore>(),
            p.GetRequiredService<FetchingOptions>(), p.GetRequiredService<ILogger<MissingEvents>>()));
        services.TryAddSingleton<OldEvents>();
        services.TryAddSingleton(p => new HistoryBackfill(p.GetRequiredService<EventRequests>(), p.GetRequiredService<OldEvents>(),
            p.GetRequiredService<TimelineGapStore>(), p.GetRequiredService<RoomServers>(), p.GetRequiredService<LogWriter>(), p.GetRequiredService<LogFollower>(), p.GetRequiredService<FetchingOptions>(),
            p.GetRequiredService<ServerSigningKey>(), p.GetRequiredService<ILogger<HistoryBackfill>>(), p.GetRequiredService<PartialRooms>()));
        services.TryAddSingleton(p => new EventNearTime(p.GetRequiredService<EventRequests>(), p.GetRequiredService<OldEvents>(), p.GetRequiredService<EventStore>(),
            p.GetRequiredService<TimelineGapStore>(), p.GetRequiredService<RoomServers>(), p.GetRequiredService<LogWriter>(), p.GetRequiredService<LogFollower>(),
            p.GetRequiredService<FetchingOptions>(), p.GetRequiredService<ServerSigningKey>(), p.GetRequiredService<PartialRooms>(),
            p.GetRequiredService<ILogger<EventNearTime>>()));
    }

    static void AddJoining(IServiceCollection services)
    {
        services.TryAddSingleton<StrippedStateStore>();
        services.TryAddSingleton<RemoteAliases>();
        services.TryAddSingleton<BulkOutliers>();
        services.TryAddSingleton<BulkState>();
        services.TryAddSingleton<RoomAdoption>();
        services.TryAddSingleton<RoomCompletion>();
        services.TryAddSingleton(p => new PartialRoomWorker(p.GetRequiredService<PartialRooms>(), p.GetRequiredService<PartialRoomStore>(),
            p.GetRequiredService<RoomStore>(), p.GetRequiredService<EventStore>(), p.GetRequiredService<RoomServers>(), p.GetRequiredService<SendJoinExchange>(),
            p.GetRequiredService<RoomCompletion>(), p.GetRequiredService<DatabaseOutage>(), p.GetRequiredService<TimeProvider>(),
            p.GetRequiredService<ILogger<PartialRoomWorker>>()));
        services.TryAddSingleton<OutOfBandMemberships>();
        services.TryAddSingleton<RoomDrafts>();
        services.TryAddSingleton<SendJoinExchange>();
        services.TryAddSingleton(RemoteMembership.Create);
        services.TryAddSingleton(MembershipHandshakes.Create);
        services.TryAddSingleton(JoinedRoomTelling.Create);
        services.TryAddSingleton(Invites.Create);
        services.TryAddSingleton(ThirdPartyInvites.Create);
        services.TryAddSingleton<PublicRooms>();
        services.TryAddSingleton<RoomDetailStore>();
        services.TryAddSingleton<SpaceServing>();
        services.TryAddSingleton<RemoteSpaces>();
    }
}
