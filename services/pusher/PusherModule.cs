namespace Matrix.Pusher;

/// <summary>Follows the log for what users have to be notified of. It serves no routes.</summary>
public static class PusherModule
{
    public static WebApplicationBuilder AddPusher(this WebApplicationBuilder builder)
    {
        builder.Services.AddHostedService<PushQueues>();
        return builder;
    }
}
