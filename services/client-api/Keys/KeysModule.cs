using Matrix.Storage.Keys;

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
        services.AddSingleton<KeyClaims>();
        services.AddSingleton<CrossSigning>();
        services.AddSingleton<SignatureUpload>();
        services.AddSingleton<ToDeviceSender>();
        return services;
    }
}
