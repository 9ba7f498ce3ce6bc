using Matrix.ClientApi.Notices;
using Matrix.Hosting.Configuration;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Admin;

static class AdminEndpoints
{
    public static void Add(IServiceCollection services)
    {
        services.AddMatrixOptions<ServerNoticeOptions>("server_notices");
        services.AddSingleton<ServerNoticeStore>();
        services.AddSingleton<ServerNotices>();
    }

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
        GetEventReports.Map(app);
        GetEventReport.Map(app);
        DeleteEventReport.Map(app);
        PostServerNotice.Map(app);
        PutServerNotice.Map(app);
        GetDestinations.Map(app);
        GetDestination.Map(app);
        GetDestinationRooms.Map(app);
        PostResetConnection.Map(app);
    }
}
