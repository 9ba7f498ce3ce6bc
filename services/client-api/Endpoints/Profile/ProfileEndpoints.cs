namespace Matrix.ClientApi.Endpoints.Profile;

static class ProfileEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        GetProfile.Map(app);
        GetProfileField.Map(app);
        PutProfileField.Map(app);
        DeleteProfileField.Map(app);
    }
}
