namespace Matrix.ClientApi.Endpoints.Spaces;

static class SpacesEndpoints
{
    public static void Add(IServiceCollection services)
    {
        services.AddSingleton<RoomAccess>();
        services.AddSingleton<RoomPreviews>();
        services.AddSingleton<SpaceTree>();
        services.AddSingleton<MutualRooms>();
    }

    public static void Map(IEndpointRouteBuilder app)
    {
        GetHierarchy.Map(app);
        GetRoomSummary.Map(app);
        GetUnstableRoomSummary.Map(app);
        GetUnstableSummaryOfRoom.Map(app);
        GetMutualRooms.Map(app);
        GetUnstableMutualRooms.Map(app);
    }
}
