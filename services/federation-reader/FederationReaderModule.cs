using Matrix.FederationReader.Edus;
using Matrix.FederationReader.Endpoints;
using Matrix.FederationReader.Endpoints.Devices;
using Matrix.FederationReader.Endpoints.Events;
using Matrix.FederationReader.Endpoints.Membership;
using Matrix.FederationReader.Endpoints.Queries;
using Matrix.Http;
using Matrix.Rooms;

namespace Matrix.FederationReader;

/// <summary>The Server-Server API: what other homeservers ask of this one.</summary>
public static class FederationReaderModule
{
    public static WebApplicationBuilder AddFederationReader(this WebApplicationBuilder builder)
    {
        builder.AddMatrixHttp();
        builder.Services.AddRooms(builder.Configuration);
        EventsEndpoints.Add(builder.Services);
        QueriesEndpoints.Add(builder.Services);
        builder.Services.AddEdus();
        DevicesEndpoints.Add(builder.Services);
        return builder;
    }

    public static WebApplication MapFederationReader(this WebApplication app)
    {
        GetServerKeys.Map(app);
        GetKeyQuery.Map(app);
        PostKeyQuery.Map(app);
        GetServerVersion.Map(app);
        GetServerWellKnown.Map(app);
        EventsEndpoints.Map(app);
        MembershipEndpoints.Map(app);
        QueriesEndpoints.Map(app);
        DevicesEndpoints.Map(app);
        return app;
    }
}
