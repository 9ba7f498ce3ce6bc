using System.Runtime.CompilerServices;
using Matrix.Hosting.Overload;
using Yarp.ReverseProxy.Model;

namespace Matrix.Gateway.Forwarding;

/// <summary>
/// Lets no more requests through to a replica than it and the gateway itself can have under way without queueing, before a body is read or a connection made. What it
/// goes by: how long requests wait until the gateway looks at them, and how many the replica refuses itself, which cost less here. Polls wait, most of them
/// for long, and only the service knows which do: they take no place, and the service judges them.
/// </summary>
sealed class AdmissionMiddleware
{
    // a replica's count goes when the replica goes
    readonly ConditionalWeakTable<DestinationState, Admission> _replicas = [];
    readonly RequestDelegate _next;
    readonly Func<DestinationState, Admission> _admit;

    public AdmissionMiddleware(RequestDelegate next, OverloadOptions options, ArrivalQueue arrivals, OverloadMetrics metrics, TimeProvider time)
    {
        _next = next;
        var queue = new QueueProbe("arrival", _ => new(arrivals.Measure()));
        _admit = _ => new(options, [queue], metrics, time);
        metrics.Watch(() => _replicas.Sum(replica => replica.Value.Working), () => _replicas.Sum(replica => replica.Value.Limit));
    }

    public async Task Invoke(HttpContext context)
    {
        if (PollEnding.IsPoll(context) || context.GetReverseProxyFeature().AvailableDestinations is not [var replica, ..])
        {
            await _next(context);
            return;
        }

        var admission = _replicas.GetOrAdd(replica, _admit);
        using var work = await admission.Enter(context.RequestAborted);
        if (work is null)
        {
            await Refusal.Write(context);
            return;
        }

        await HeldBody.Hold(context);
        await _next(context);
        if (Attempt.WasTooMuch(context)) admission.NoteTurnedAway();
    }
}
