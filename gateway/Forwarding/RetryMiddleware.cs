using Matrix.Hosting;
using Yarp.ReverseProxy.Model;

namespace Matrix.Gateway.Forwarding;

/// <summary>
/// Sends a request that no replica has taken to the next one, and when all were tried waits a little for one to come back: the restart of the
/// only replica is then a pause, not an error.
/// </summary>
sealed partial class RetryMiddleware(
    RequestDelegate next, GatewayOptions options, GatewayMetrics metrics, Shutdown shutdown, TimeProvider time, ILogger<RetryMiddleware> log)
{
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    public async Task Invoke(HttpContext context)
    {
        // a stop of the gateway breaks off a poll, but not the reading of what it asks; others are read once they are let in
        if (PollEnding.IsPoll(context)) await HeldBody.Hold(context);
        var proxy = context.GetReverseProxyFeature();
        var began = time.GetTimestamp();
        var tried = new HashSet<DestinationState>();
        using var poll = PollEnding.Watch(context, shutdown);
        while (true)
        {
            await next(context);
            if (poll.AsksAgain()) continue;
            if (!Attempt.MayBeRepeated(context)) return;
            if (proxy.ProxiedDestination is { } failed)
            {
                tried.Add(failed);
                metrics.NotTaken(proxy.Cluster.Config.ClusterId);
                NotTaken(proxy.Cluster.Config.ClusterId, failed.DestinationId);
            }

            var others = Others(proxy, tried);
            if (others.Count == 0)
            {
                if (time.GetElapsedTime(began) >= options.WaitForReplica) return;
                await Task.Delay(Pause, time, context.RequestAborted);
                tried.Clear();
                others = Others(proxy, tried);
            }

            Attempt.Reset(context);
            proxy.AvailableDestinations = others;
        }
    }

    static List<DestinationState> Others(IReverseProxyFeature proxy, HashSet<DestinationState> tried) =>
        [.. proxy.Route.Cluster!.DestinationsState.AvailableDestinations.Where(destination => !tried.Contains(destination))];

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Destination} of {Service} did not take the request")]
    partial void NotTaken(string service, string destination);
}
