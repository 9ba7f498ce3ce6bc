using Matrix.Rooms.Devices;
using Matrix.Storage.Federation;
using Matrix.Storage.Keys;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Matrix.ClientApi.Keys;

static class KeysModule
{
    /// <summary>What devices publish, and what they send each other. Needs sync and accounts.</summary>
    public static IServiceCollection AddKeys(this IServiceCollection services)
    {
        services.AddSingleton<PublishedKeyCache>();
        services.AddSingleton<KeyBackupStore>();
        services.AddSingleton<KeyBackups>();
        services.AddSingleton<KeyUpload>();
        services.TryAddSingleton<KeyClaims>();
        services.TryAddSingleton<RemoteKeyStore>();
        services.TryAddSingleton<DestinationStore>();
        services.AddSingleton<RemoteKeys>();
        services.AddSingleton<DehydratedDeviceStore>();
        services.AddSingleton<DehydratedDevices>();
        services.AddSingleton<CrossSigning>();
        services.AddSingleton<SignatureUpload>();
        services.AddSingleton<ToDeviceSender>();
        return services;
    }
}
