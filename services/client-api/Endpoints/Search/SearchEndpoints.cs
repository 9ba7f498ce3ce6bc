using Matrix.ClientApi.Search;
using Matrix.Hosting.Configuration;
using Matrix.Storage.Search;

namespace Matrix.ClientApi.Endpoints.Search;

static class SearchEndpoints
{
    public static void Add(IServiceCollection services)
    {
        services.AddMatrixOptions<SearchOptions>();
        services.AddSingleton<SearchStore>();
        services.AddSingleton<SearchIndexStore>();
        services.AddSingleton<EventSearch>();
        services.AddHostedService<SearchIndexer>();
    }

    public static void Map(IEndpointRouteBuilder app)
    {
        PostSearch.Map(app);
        PostUserDirectorySearch.Map(app);
    }
}
