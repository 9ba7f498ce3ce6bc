namespace Matrix.ClientApi.Endpoints.Reporting;

static class ReportingEndpoints
{
    public static void Add(IServiceCollection services) => services.AddSingleton<Reports>();

    public static void Map(IEndpointRouteBuilder app)
    {
        PostEventReport.Map(app);
        PostRoomReport.Map(app);
        PostUserReport.Map(app);
    }
}
