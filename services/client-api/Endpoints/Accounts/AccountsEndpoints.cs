namespace Matrix.ClientApi.Endpoints.Accounts;

static class AccountsEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        PostRegister.Map(app);
        GetRegisterAvailable.Map(app);
        GetRegistrationTokenValidity.Map(app);
        GetLogin.Map(app);
        PostLogin.Map(app);
        PostLoginToken.Map(app);
        PostRefresh.Map(app);
        PostLogout.Map(app);
        PostLogoutAll.Map(app);
        GetWhoami.Map(app);
        PostPassword.Map(app);
        PostDeactivate.Map(app);
        GetThreepids.Map(app);
    }
}
