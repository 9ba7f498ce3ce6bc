using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync.Sliding;

static class SlidingModule
{
    /// <summary>Sliding sync. Needs sync.</summary>
    public static IServiceCollection AddSlidingSync(this IServiceCollection services)
    {
        services.AddSingleton<SlidingStore>();
        services.AddSingleton<ShapeCache>();
        services.AddSingleton<Connections>();
        services.AddSingleton<RoomLists>();
        services.AddSingleton<RoomRoots>();
        services.AddSingleton<RoomOutlines>();
        services.AddSingleton<RoomBumps>();
        services.AddHostedService(provider => provider.GetRequiredService<RoomBumps>());
        services.AddSingleton<SpaceChildren>();
        services.AddSingleton<RoomSelector>();
        services.AddSingleton<SlidingTimelines>();
        services.AddSingleton<SlidingState>();
        services.AddSingleton<SlidingMembers>();
        services.AddSingleton<SlidingRooms>();
        services.AddSingleton<SlidingUnread>();
        services.AddSingleton<ToDeviceExtension>();
        services.AddSingleton<E2eeExtension>();
        services.AddSingleton<AccountDataExtension>();
        services.AddSingleton<ReceiptsExtension>();
        services.AddSingleton<TypingExtension>();
        services.AddSingleton<ThreadSubscriptionsExtension>();
        services.AddSingleton<SlidingExtensions>();
        services.AddSingleton<SlidingBuilder>();
        services.AddSingleton<SlidingEngine>();
        services.AddSingleton<SlidingAnswers>();
        return services;
    }
}
