using Matrix.Hosting.Configuration;
using Matrix.Storage;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Matrix.ClientApi.Accounts;

static class AccountsModule
{
    public static IServiceCollection AddAccounts(this IServiceCollection services)
    {
        services.AddMatrixOptions<AccountOptions>();
        services.TryAddSingleton<AccountStore>();
        services.TryAddSingleton<SessionStore>();
        services.TryAddSingleton<DeviceStore>();
        services.TryAddSingleton<UiaSessionStore>();
        services.TryAddSingleton<RegistrationStore>();
        services.TryAddSingleton<ProfileStore>();
        services.TryAddSingleton<ProfileFinder>();
        services.TryAddSingleton<AccountDataStore>();
        services.TryAddSingleton<FilterStore>();
        services.TryAddSingleton<RoomUpdateStore>();
        services.TryAddSingleton<ReportStore>();
        services.TryAddSingleton<ShortTokenStore>();
        services.AddSingleton<Passwords>();
        services.AddSingleton<Sessions>();
        services.AddSingleton<Usernames>();
        services.AddSingleton<UserInteractive>();
        services.AddSingleton<Registration>();
        services.AddSingleton<LoginCheck>();
        services.AddSingleton<DeviceRemoval>();
        services.AddSingleton<Profiles>();
        services.AddSingleton<PushRulesets>();
        services.AddSingleton<RoomUpdates>();
        services.AddHostedService(provider => provider.GetRequiredService<RoomUpdates>());
        return services;
    }
}
