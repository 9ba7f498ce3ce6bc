namespace Matrix.FederationSender;

/// <summary>Follows the log for what other servers have to be told. It serves no routes.</summary>
public static class FederationSenderModule
{
    public static WebApplicationBuilder AddFederationSender(this WebApplicationBuilder builder)
    {
        builder.Services.AddHostedService<OutgoingQueues>();
        return builder;
    }
}
