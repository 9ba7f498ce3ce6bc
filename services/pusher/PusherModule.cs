using Matrix.Hosting.Configuration;
using Matrix.Pusher.Http;
using Matrix.Pusher.Judging;
using Matrix.Pusher.Mail;
using Matrix.Pusher.Work;
using Matrix.Rooms;
using Matrix.Storage.Push;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Matrix.Pusher;

/// <summary>Follows the log for what users have to be notified of, and tells push gateways. It serves no routes.</summary>
public static class PusherModule
{
    public static WebApplicationBuilder AddPusher(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddMatrixOptions<PushOptions>("push");
        services.AddMatrixOptions<PushAddressOptions>();
        services.AddRooms(builder.Configuration);
        services.TryAddSingleton<PusherStore>();
        services.AddSingleton<PushProgressStore>();
        services.AddSingleton<PushRoomStore>();
        services.AddSingleton<PushGateways>();
        services.AddSingleton<HttpDelivery>();
        services.AddSingleton<PushEvents>();
        services.AddSingleton<RoomLabels>();
        services.AddSingleton<Badges>();
        services.AddMatrixOptions<HomeserverOptions>();
        services.AddMatrixOptions<MailOptions>("email");
        services.TryAddSingleton<NotificationStore>();
        services.AddSingleton<PushMailStore>();
        services.AddSingleton<MailTemplates>();
        services.AddSingleton<MailLinks>();
        services.AddSingleton<MailSender>();
        services.AddSingleton<MailDigest>();
        services.AddSingleton<MailRunner>();
        services.AddSingleton<PushRooms>();
        services.AddSingleton<PushRunner>();
        services.AddSingleton<PushDispatcher>();
        services.AddSingleton<PushLoading>();
        services.AddSingleton<PushProgress>();
        services.AddHostedService(provider => provider.GetRequiredService<PushProgress>());
        services.AddHostedService<PushWork>();
        return builder;
    }
}
