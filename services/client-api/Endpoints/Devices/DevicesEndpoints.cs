namespace Matrix.ClientApi.Endpoints.Devices;

static class DevicesEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        GetDevices.Map(app);
        GetDevice.Map(app);
        PutDevice.Map(app);
        DeleteDevice.Map(app);
        PostDeleteDevices.Map(app);
    }
}
