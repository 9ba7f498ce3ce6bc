namespace Matrix.ClientApi.Endpoints.Keys;

static class KeysEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        PostKeysUpload.Map(app);
        PostKeysQuery.Map(app);
        PostKeysClaim.Map(app);
        GetKeysChanges.Map(app);
        PostCrossSigningKeys.Map(app);
        PostSignatures.Map(app);
        PutSendToDevice.Map(app);
    }
}
