namespace Matrix.ClientApi.Endpoints.Rooms;

static class RoomsEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
    }
}
