using Matrix.ClientApi.Push;
using Matrix.Hosting.Configuration;
using Matrix.Storage.Push;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Matrix.ClientApi.Endpoints.Push;

static class PushEndpoints
{
    public static void Add(IServiceCollection services)
    {
        services.AddMatrixOptions<PushSettings>("push");
        services.AddMatrixOptions<MailSettings>("email");
        services.TryAddSingleton<PusherStore>();
        services.TryAddSingleton<NotificationStore>();
        services.AddSingleton<Notifications>();
    }

    public static void Map(IEndpointRouteBuilder app)
    {
        GetPushers.Map(app);
        PostPushersSet.Map(app);
        GetNotifications.Map(app);
        GetUnsubscribe.Map(app);
        PostUnsubscribe.Map(app);
        GetConfirmMail.Map(app);
        PostConfirmMail.Map(app);
    }
}
