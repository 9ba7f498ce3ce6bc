using Matrix.Storage;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Matrix.FederationReader.Endpoints.Queries;

static class QueriesEndpoints
{
    public static void Add(IServiceCollection services) => services.TryAddSingleton<ProfileStore>();

    public static void Map(IEndpointRouteBuilder app)
    {
        GetQueryDirectory.Map(app);
        GetQueryProfile.Map(app);
    }
}
