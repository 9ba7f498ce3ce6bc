using Matrix.Hosting.Configuration;
using Matrix.Storage;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Matrix.FederationReader.Endpoints.Queries;

/// <summary>What other servers, and others, ask about users and rooms.</summary>
static class QueriesEndpoints
{
    public static void Add(IServiceCollection services)
    {
        services.AddMatrixOptions<DirectoryOptions>();
        services.TryAddSingleton<ProfileStore>();
        services.TryAddSingleton<ShortTokenStore>();
    }

    public static void Map(IEndpointRouteBuilder app)
    {
        GetQueryDirectory.Map(app);
        GetQueryProfile.Map(app);
        GetPublicRooms.Map(app);
        PostPublicRooms.Map(app);
        GetHierarchy.Map(app);
        GetOpenIdUserInfo.Map(app);
    }
}
