namespace Matrix.ClientApi.Endpoints.History;

static class HistoryEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        GetMessages.Map(app);
        GetEvent.Map(app);
        GetContext.Map(app);
        GetMembers.Map(app);
        GetJoinedMembers.Map(app);
        GetJoinedRooms.Map(app);
    }
}
