using Matrix.Gateway.Routing;
using Yarp.ReverseProxy.LoadBalancing;
using Yarp.ReverseProxy.Model;

namespace Matrix.Gateway.Forwarding;

/// <summary>
/// Rendezvous hashing: of the replicas that can be had, the one whose address hashes highest together with the request's key. When a
/// replica goes, only its own keys move; when it comes back, only they return. Requests without a key go to the less busy of two.
/// </summary>
sealed class RendezvousPolicy : ILoadBalancingPolicy
{
    public const string PolicyName = "Rendezvous";

    public string Name => PolicyName;

    public DestinationState? PickDestination(HttpContext context, ClusterState cluster, IReadOnlyList<DestinationState> availableDestinations)
    {
        if (availableDestinations.Count <= 1) return availableDestinations.Count == 0 ? null : availableDestinations[0];
        var affinity = Enum.Parse<Affinity>(context.GetReverseProxyFeature().Route.Config.Metadata![nameof(Affinity)]);
        return AffinityKey.Of(context, affinity) is { } key ? Highest(key, availableDestinations) : LessBusy(availableDestinations);
    }

    static DestinationState Highest(ulong key, IReadOnlyList<DestinationState> destinations)
    {
        var best = destinations[0];
        var bestScore = 0UL;
        foreach (var destination in destinations)
        {
            var score = AffinityKey.Mix(key ^ AffinityKey.Hash(destination.DestinationId));
            if (score < bestScore) continue;
            (best, bestScore) = (destination, score);
        }

        return best;
    }

    static DestinationState LessBusy(IReadOnlyList<DestinationState> destinations)
    {
#pragma warning disable CA5394 // spreads load, hides nothing
        var first = Random.Shared.Next(destinations.Count);
        var second = (first + 1 + Random.Shared.Next(destinations.Count - 1)) % destinations.Count;
#pragma warning restore CA5394
        return destinations[first].ConcurrentRequestCount <= destinations[second].ConcurrentRequestCount ? destinations[first] : destinations[second];
    }
}
