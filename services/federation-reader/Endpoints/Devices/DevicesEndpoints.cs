using Matrix.Rooms.Devices;
using Matrix.Storage.Keys;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Matrix.FederationReader.Endpoints.Devices;

static class DevicesEndpoints
{
    public static void Add(IServiceCollection services)
    {
        services.TryAddSingleton<DeviceKeyStore>();
        services.TryAddSingleton<KeyClaims>();
    }

    public static void Map(IEndpointRouteBuilder app)
    {
        GetUserDevices.Map(app);
        PostUserKeysQuery.Map(app);
        PostUserKeysClaim.Map(app);
    }
}
