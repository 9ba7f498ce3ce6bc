using Matrix.Storage.Federation;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Matrix.FederationReader.Edus;

static class EdusModule
{
    /// <summary>Taking in EDUs. Needs rooms and the log.</summary>
    public static IServiceCollection AddEdus(this IServiceCollection services)
    {
        services.TryAddSingleton<ReceivedEduStore>();
        services.TryAddSingleton<WaitingReceiptStore>();
        services.AddSingleton<WaitingReceipts>();
        services.AddHostedService(provider => provider.GetRequiredService<WaitingReceipts>());
        services.AddSingleton<EduAcls>();
        services.AddSingleton<TypingReceiver>();
        services.AddSingleton<ReceiptReceiver>();
        services.AddSingleton<PresenceReceiver>();
        services.AddSingleton<DeviceListReceiver>();
        services.AddSingleton<DeviceMessageReceiver>();
        services.AddSingleton<EduReceiver>();
        return services;
    }
}
