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
        GetLock.Map(app);
        PutLock.Map(app);
        GetSuspend.Map(app);
        PutSuspend.Map(app);
        GetUnstableLock.Map(app);
        PutUnstableLock.Map(app);
        GetUnstableSuspend.Map(app);
        PutUnstableSuspend.Map(app);
        GetWhois.Map(app);
    }
}
