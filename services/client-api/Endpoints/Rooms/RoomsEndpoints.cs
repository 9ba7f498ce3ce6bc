using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Matrix.ClientApi.Endpoints.Rooms;

static class RoomsEndpoints
{
    public static void Add(IServiceCollection services)
    {
        services.TryAddSingleton<StateReading>();
        services.TryAddSingleton<RoomSuccession>();
    }

    public static void Map(IEndpointRouteBuilder app)
    {
        PostCreateRoom.Map(app);
        PostInvite.Map(app);
        PostJoin.Map(app);
        PostJoinRoom.Map(app);
        PostKnock.Map(app);
        PostLeave.Map(app);
        PostForget.Map(app);
        PostUpgrade.Map(app);
        PostKick.Map(app);
        PostBan.Map(app);
        PostUnban.Map(app);
        PutSend.Map(app);
        PutState.Map(app);
        PutRedact.Map(app);
        GetState.Map(app);
        GetAllState.Map(app);
        GetRoomAliases.Map(app);
    }
}
