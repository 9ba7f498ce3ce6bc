namespace Matrix.ClientApi.Endpoints.KeyBackup;

static class KeyBackupEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        PostBackupVersion.Map(app);
        GetBackupVersion.Map(app);
        GetBackupVersionInfo.Map(app);
        PutBackupVersion.Map(app);
        DeleteBackupVersion.Map(app);
        PutBackupKeys.Map(app);
        GetBackupKeys.Map(app);
        DeleteBackupKeys.Map(app);
        PutBackupRoomKeys.Map(app);
        GetBackupRoomKeys.Map(app);
        DeleteBackupRoomKeys.Map(app);
        PutBackupKey.Map(app);
        GetBackupKey.Map(app);
        DeleteBackupKey.Map(app);
    }
}
