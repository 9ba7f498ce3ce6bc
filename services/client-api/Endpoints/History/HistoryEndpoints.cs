namespace Matrix.ClientApi.Endpoints.History;

static class HistoryEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        GetMessages.Map(app);
        GetEvent.Map(app);
        GetContext.Map(app);
        GetRelations.Map(app);
        GetRelationsOfType.Map(app);
        GetRelationsOfEventType.Map(app);
        GetThreads.Map(app);
        GetEventByTimestamp.Map(app);
        GetMembers.Map(app);
        GetJoinedMembers.Map(app);
        GetJoinedRooms.Map(app);
    }
}
