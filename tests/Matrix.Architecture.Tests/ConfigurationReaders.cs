using System.Collections.Concurrent;
using Matrix.ClientApi;
using Matrix.FederationReader;
using Matrix.FederationSender;
using Matrix.Gateway;
using Matrix.Hosting;
using Matrix.Hosting.Configuration;
using Matrix.Hosting.Tls;
using Matrix.MediaRepo;
using Matrix.Pusher;
using Matrix.Replication;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;

namespace Matrix.Architecture.Tests;

/// <summary>Which service asks for which keys: each is put together as its Program does, checks its configuration, and is listened to.</summary>
static class ConfigurationReaders
{
    public const string Single = "all-in-one";

    static readonly (string Service, Action<WebApplicationBuilder> Add)[] s_services =
    [
        ("gateway", builder => builder.AddGateway()),
        ("client-api", builder => builder.AddClientApi().AddReplication()),
        ("federation-reader", builder => builder.AddFederationReader().AddReplication()),
        ("federation-sender", builder => builder.AddFederationSender().AddReplication()),
        ("media-repo", builder => builder.AddMediaRepo().AddLeasesAndLimits()),
        ("pusher", builder => builder.AddPusher().AddReplication()),
        (Single, builder => builder.AddTls().AddClientApi().AddFederationReader().AddFederationSender().AddMediaRepo().AddPusher().AddReplicationInProcess()),
    ];

    /// <summary>The split stack.</summary>
    public static IReadOnlyList<string> Services { get; } = [.. s_services.Select(one => one.Service).Where(service => service != Single)];

    /// <summary>The keys that each service asked for, as they are named in the code (<c>database:args:host</c>), sections included.</summary>
    public static IReadOnlyDictionary<string, HashSet<string>> Listen(IReadOnlyDictionary<string, string?> items) =>
        s_services.ToDictionary(one => one.Service, one => Listen(one.Service, one.Add, items));

    static HashSet<string> Listen(string service, Action<WebApplicationBuilder> add, IReadOnlyDictionary<string, string?> items)
    {
        var builder = MatrixHost.CreateBuilder([], service);
        builder.Configuration.Sources.Clear(); // the environment's are of the machine that the tests run on
        var asked = new Asked(items);
        ((IConfigurationBuilder)builder.Configuration).Add(asked);
        add(builder);
        using var app = (IDisposable)builder.Build();
        try
        {
            MatrixOptions.CheckConfiguration(((WebApplication)app).Services);
        }
        catch (ConfigurationException e) when (e.IsWhole)
        {
            // there is no server name and no signing key
        }
        return asked.Keys.Keys.ToHashSet();
    }

    sealed class Asked : ConfigurationProvider, IConfigurationSource
    {
        public Asked(IReadOnlyDictionary<string, string?> items) => Data = new Dictionary<string, string?>(items);

        public ConcurrentDictionary<string, bool> Keys { get; } = [];

        public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

        public override bool TryGet(string key, out string? value)
        {
            Keys.TryAdd(key, true);
            return base.TryGet(key, out value);
        }

        public override IEnumerable<string> GetChildKeys(IEnumerable<string> earlierKeys, string? parentPath)
        {
            if (parentPath is not null) Keys.TryAdd(parentPath, true);
            return base.GetChildKeys(earlierKeys, parentPath);
        }
    }
}
