using Matrix.Gateway.Routing;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Health;

namespace Matrix.Gateway.Forwarding;

/// <summary>YARP's configuration, made of the route table and of the clusters that the operator named.</summary>
sealed class ProxyConfiguration(GatewayOptions options, GatewayListenOptions listen)
{
    public InMemoryConfigProvider Provider { get; } = new([], []);

    /// <summary>Takes the replicas that were named last, those of the configuration where there are none.</summary>
    public void Update(IReadOnlyDictionary<string, IReadOnlyList<string>> replicas) => Provider.Update(Routes(),
        [.. RouteTable.Services.Select(service => Cluster(service, replicas.GetValueOrDefault(service) ?? options.Clusters.GetValueOrDefault(service) ?? []))]);

    List<RouteConfig> Routes() =>
    [
        .. RouteTable.Routes.Select((route, order) => new RouteConfig
        {
            RouteId = route.Pattern,
            ClusterId = route.Service,
            Order = order,
            Match = new RouteMatch { Path = route.Pattern },
            // the service itself says M_TOO_LARGE; the gateway only stops what is far beyond
            MaxRequestBodySize = route.TakesUploads ? listen.MaxUploadSize + (1 << 20) : null,
            Metadata = new Dictionary<string, string>
            {
                [nameof(Affinity)] = route.Affinity.ToString(), [nameof(GatewayRoute.IsPoll)] = route.IsPoll.ToString(),
                [nameof(GatewayRoute.KeepsBodies)] = route.KeepsBodies.ToString(),
            },
        }),
    ];

    ClusterConfig Cluster(string service, IReadOnlyList<string> replicas) => new()
    {
        ClusterId = service,
        LoadBalancingPolicy = RendezvousPolicy.PolicyName,
        Destinations = replicas.Distinct().ToDictionary(address => address, address => new DestinationConfig { Address = address }),
        HttpRequest = new ForwarderRequestConfig { ActivityTimeout = options.ActivityTimeout },
        HealthCheck = new HealthCheckConfig
        {
            // when no replica is known to be well, try them all: a wrong verdict must not make an outage
            AvailableDestinationsPolicy = HealthCheckConstants.AvailableDestinations.HealthyOrPanic,
            Active = new ActiveHealthCheckConfig
            {
                Enabled = true,
                Path = "/health/ready",
                Interval = options.HealthInterval,
                Timeout = options.HealthInterval < TimeSpan.FromSeconds(2) ? options.HealthInterval : TimeSpan.FromSeconds(2),
                Policy = HealthCheckConstants.ActivePolicy.ConsecutiveFailures,
            },
            Passive = new PassiveHealthCheckConfig
            {
                Enabled = true,
                Policy = UnreachablePolicy.PolicyName,
                ReactivationPeriod = options.HealthInterval,
            },
        },
    };
}
