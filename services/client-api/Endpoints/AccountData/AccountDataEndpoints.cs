namespace Matrix.ClientApi.Endpoints.AccountData;

static class AccountDataEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        GetGlobalAccountData.Map(app);
        PutGlobalAccountData.Map(app);
        GetRoomAccountData.Map(app);
        PutRoomAccountData.Map(app);
        GetTags.Map(app);
        PutTag.Map(app);
        DeleteTag.Map(app);
    }
}
