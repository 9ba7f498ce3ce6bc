using Matrix.Hosting.Configuration;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Rendezvous;

static class RendezvousEndpoints
{
    public static void Add(IServiceCollection services)
    {
        services.AddMatrixOptions<RendezvousOptions>("rendezvous");
        services.AddSingleton<RendezvousStore>();
        services.AddSingleton<MeetingPlaces>();
    }

    public static void Map(IEndpointRouteBuilder app)
    {
        GetRendezvousSupport.Map(app);
        PostRendezvous.Map(app);
        GetRendezvous.Map(app);
        PutRendezvous.Map(app);
        DeleteRendezvous.Map(app);
        PostRendezvousResource.Map(app);
        GetRendezvousResource.Map(app);
        PutRendezvousResource.Map(app);
        DeleteRendezvousResource.Map(app);
    }
}
