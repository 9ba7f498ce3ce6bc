using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace Matrix.Gateway.Forwarding;

/// <summary>
/// A replica that could not be reached, or that said it is stopping, gets no request for a while: the first one to notice spares the others.
/// </summary>
sealed class UnreachablePolicy(IDestinationHealthUpdater health) : IPassiveHealthCheckPolicy
{
    public const string PolicyName = "Unreachable";

    public string Name => PolicyName;

    public void RequestProxied(HttpContext context, ClusterState cluster, DestinationState destination)
    {
        if (Attempt.WasSentAway(context) || Attempt.NeverReached(context))
            health.SetPassive(cluster, destination, DestinationHealth.Unhealthy, cluster.Model.Config.HealthCheck!.Passive!.ReactivationPeriod!.Value);
    }
}
