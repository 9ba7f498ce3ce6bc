using System.Net;
using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.ServiceDiscovery;

namespace Matrix.Gateway.Forwarding;

/// <summary>The addresses of a host name.</summary>
public delegate Task<IPAddress[]> HostLookup(string host, CancellationToken ct);

/// <summary>
/// A cluster's host name stands for all the addresses that it resolves to, each of them a replica: Kubernetes and Compose name replicas so.
/// Asked again every few seconds. A name that does not resolve stays as it is: requests wait for it, and the gateway starts without it.
/// </summary>
sealed partial class ReplicaResolver(HostLookup lookup, GatewayOptions options, TimeProvider time, ILogger<ReplicaResolver> log)
    : IDestinationResolver
{
    public async ValueTask<ResolvedDestinationCollection> ResolveDestinationsAsync(
        IReadOnlyDictionary<string, DestinationConfig> destinations, CancellationToken cancellationToken)
    {
        var resolved = new Dictionary<string, DestinationConfig>();
        var named = false;
        foreach (var (id, destination) in destinations)
        {
            var uri = new Uri(destination.Address);
            if (uri.HostNameType != UriHostNameType.Dns || uri.IsLoopback)
            {
                resolved[id] = destination;
                continue;
            }

            named = true;
            var addresses = await Addresses(uri.DnsSafeHost, cancellationToken);
            if (addresses.Length == 0) resolved[id] = destination;
            foreach (var address in addresses)
            {
                var replica = new UriBuilder(uri) { Host = address.ToString() }.Uri.GetLeftPart(UriPartial.Path);
                resolved[replica] = destination with { Address = replica, Host = destination.Host ?? uri.Authority };
            }

        }

        return new ResolvedDestinationCollection(resolved, named ? AfterAWhile() : null);
    }

    async Task<IPAddress[]> Addresses(string host, CancellationToken ct)
    {
        try
        {
            return await lookup(host, ct);
        }
        catch (System.Net.Sockets.SocketException e)
        {
            NotFound(host, e.Message);
            return [];
        }
    }

    CancellationChangeToken AfterAWhile() => new(new CancellationTokenSource(options.ResolveInterval, time).Token);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The replicas of {Host} cannot be found: {Reason}")]
    partial void NotFound(string host, string reason);
}
