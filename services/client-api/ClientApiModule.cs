using Matrix.ClientApi.Accounts;
using Matrix.ClientApi.Endpoints.AccountData;
using Matrix.ClientApi.Endpoints.Accounts;
using Matrix.ClientApi.Endpoints.Admin;
using Matrix.ClientApi.Endpoints.Dehydration;
using Matrix.ClientApi.Endpoints.Delayed;
using Matrix.ClientApi.Endpoints.Devices;
using Matrix.ClientApi.Endpoints.Directory;
using Matrix.ClientApi.Endpoints.Discovery;
using Matrix.ClientApi.Endpoints.Filters;
using Matrix.ClientApi.Endpoints.History;
using Matrix.ClientApi.Endpoints.KeyBackup;
using Matrix.ClientApi.Endpoints.Keys;
using Matrix.ClientApi.Endpoints.Misc;
using Matrix.ClientApi.Endpoints.Peeking;
using Matrix.ClientApi.Endpoints.Presence;
using Matrix.ClientApi.Endpoints.Profile;
using Matrix.ClientApi.Endpoints.Push;
using Matrix.ClientApi.Endpoints.PushRules;
using Matrix.ClientApi.Endpoints.Receipts;
using Matrix.ClientApi.Endpoints.Rendezvous;
using Matrix.ClientApi.Endpoints.Reporting;
using Matrix.ClientApi.Endpoints.Rooms;
using Matrix.ClientApi.Endpoints.Search;
using Matrix.ClientApi.Endpoints.Spaces;
using Matrix.ClientApi.Endpoints.Sync;
using Matrix.ClientApi.Endpoints.Threads;
using Matrix.ClientApi.Endpoints.Typing;
using Matrix.ClientApi.Housekeeping;
using Matrix.ClientApi.Keys;
using Matrix.ClientApi.Sync;
using Matrix.ClientApi.Sync.Sliding;
using Matrix.Hosting.Configuration;
using Matrix.Http;
using Matrix.Replication;
using Matrix.Rooms;
using Matrix.Rooms.Joining;

namespace Matrix.ClientApi;

/// <summary>The Client-Server API. Every area brings its own services and its own list of endpoints.</summary>
public static class ClientApiModule
{
    public static WebApplicationBuilder AddClientApi(this WebApplicationBuilder builder)
    {
        builder.AddMatrixHttp().AddSessionCache();
        builder.Services.AddAccounts();
        builder.Services.AddRooms(builder.Configuration);
        RoomsEndpoints.Add(builder.Services);
        SpacesEndpoints.Add(builder.Services);
        SearchEndpoints.Add(builder.Services);
        ReportingEndpoints.Add(builder.Services);
        MiscEndpoints.Add(builder.Services);
        AdminEndpoints.Add(builder.Services);
        DelayedEndpoints.Add(builder.Services);
        DehydrationEndpoints.Add(builder.Services);
        RendezvousEndpoints.Add(builder.Services);
        PushEndpoints.Add(builder.Services);
        ThreadsEndpoints.Add(builder.Services);
        builder.Services.AddSync();
        builder.Services.AddMatrixOptions<HousekeepingOptions>();
        builder.Services.AddHostedService<TransactionPurge>();
        builder.Services.AddMatrixOptions<LogPurgeOptions>();
        builder.Services.AddHostedService<LogPurge>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<PartialRoomWorker>());
        builder.Services.AddKeys();
        builder.Services.AddSlidingSync();
        return builder;
    }

    public static WebApplication MapClientApi(this WebApplication app)
    {
        DiscoveryEndpoints.Map(app);
        AccountsEndpoints.Map(app);
        DevicesEndpoints.Map(app);
        ProfileEndpoints.Map(app);
        AccountDataEndpoints.Map(app);
        PushRulesEndpoints.Map(app);
        PushEndpoints.Map(app);
        FiltersEndpoints.Map(app);
        RoomsEndpoints.Map(app);
        DirectoryEndpoints.Map(app);
        SpacesEndpoints.Map(app);
        SearchEndpoints.Map(app);
        SyncEndpoints.Map(app);
        ReceiptsEndpoints.Map(app);
        ThreadsEndpoints.Map(app);
        TypingEndpoints.Map(app);
        PresenceEndpoints.Map(app);
        KeysEndpoints.Map(app);
        KeyBackupEndpoints.Map(app);
        HistoryEndpoints.Map(app);
        AdminEndpoints.Map(app);
        MiscEndpoints.Map(app);
        ReportingEndpoints.Map(app);
        DelayedEndpoints.Map(app);
        DehydrationEndpoints.Map(app);
        PeekingEndpoints.Map(app);
        RendezvousEndpoints.Map(app);
        return app;
    }
}
