namespace Matrix.ClientApi.Endpoints.Admin;

static class AdminEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        GetSharedSecretNonce.Map(app);
        PostSharedSecretRegister.Map(app);
        GetRegistrationTokens.Map(app);
        GetRegistrationToken.Map(app);
        PostRegistrationToken.Map(app);
        DeleteRegistrationToken.Map(app);
    }
}
