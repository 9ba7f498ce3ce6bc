using System.Collections.Concurrent;
using Matrix.Pusher.Http;
using Matrix.Pusher.Mail;
using Matrix.Replication;
using Matrix.Storage;
using Matrix.Storage.Push;

namespace Matrix.Pusher.Work;

/// <summary>
/// Works on queues: a task for each that has something to deliver, so that none waits for another's gateway. What fails is tried again after a while,
/// ever longer, or as soon as another push to the same gateway succeeds.
/// </summary>
sealed partial class PushRunner(
    HttpDelivery http, MailRunner mail, PushProgress progress, LogWriter log, PushOptions options, DatabaseOutage outage, TimeProvider time, ILogger<PushRunner> logger)
{
    readonly ConcurrentDictionary<PusherQueue, Task> working = new();
    readonly ConcurrentDictionary<PusherQueue, bool> failing = new();
    readonly ConcurrentDictionary<string, bool> down = new(StringComparer.Ordinal); // gateways of which it was said

    public int Working => working.Count;

    public int Failing => failing.Count;

    /// <summary>Events in the queues that are worked on or failed: the others are empty.</summary>
    public int Waiting => working.Keys.Concat(failing.Keys).Distinct().Sum(queue => queue.Count);

    /// <summary>Begins to work on a queue, unless somebody does or nothing is to be done.</summary>
    public void Wake(PusherQueue queue)
    {
        if (queue.IsMail)
            mail.Wake(queue);
        else if (queue.TryStart())
            working[queue] = Task.Run(() => Run(queue), CancellationToken.None);
    }

    /// <summary>Waits until nobody works on these queues, which were closed before; not for long.</summary>
    public async Task WaitFor(IReadOnlyCollection<PusherQueue> closed, TimeSpan patience)
    {
        var tasks = closed.Select(queue => working.GetValueOrDefault(queue)).OfType<Task>().ToList();
        await Task.WhenAll(Task.WhenAny(Task.WhenAll(tasks), Task.Delay(patience, time)), mail.WaitFor(closed, patience));
    }

    async Task Run(PusherQueue queue)
    {
        var ct = queue.Closing;
        Due? due = null;
        try
        {
            while (!ct.IsCancellationRequested && queue.TryNext(out due))
            {
                var began = time.GetTimestamp();
                var delivery = await http.Deliver(queue, due, ct);
                PushMetrics.Took(time.GetElapsedTime(began));
                if (delivery.Outcome == DeliveryOutcome.Failed)
                {
                    Failed(queue, due, delivery);
                    return;
                }
                if (!await Settle(queue, due, delivery, ct))
                    return;
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // another replica goes on
        }
        catch (Exception e)
        {
            if (DatabaseOutage.IsOne(e))
                outage.Failed(e);
            else
                NotDelivered(queue.Pusher.PusherId, e); // whatever it was: it may be over later
            Failed(queue, due, new Delivery(DeliveryOutcome.Failed));
        }
        finally
        {
            working.TryRemove(queue, out _);
            Wake(queue); // what came between the last look and now
        }
    }

    /// <summary>False: the pusher is gone.</summary>
    async Task<bool> Settle(PusherQueue queue, Due? due, Delivery delivery, CancellationToken ct)
    {
        PushMetrics.Count(delivery.Outcome);
        if (delivery.Outcome == DeliveryOutcome.Rejected)
        {
            await log.Append(new PusherRejected(queue.Pusher), ct);
            queue.Close();
            Rejected(queue.Pusher.PusherId, queue.Pusher.AppId, queue.Pusher.UserId);
            return false;
        }
        if (delivery.Outcome == DeliveryOutcome.Told)
        {
            var wasFailing = queue.Failures > 0;
            (queue.Badge, queue.Failures) = (delivery.Badge, 0);
            if (wasFailing)
                Recovered(queue);
            if (!await progress.Store(new CursorMove(queue.Pusher.PusherId, due?.Position ?? 0, delivery.Badge), ct))
            {
                queue.Close();
                return false;
            }
        }
        queue.Done(due?.Position ?? 0);
        return true;
    }

    void Failed(PusherQueue queue, Due? due, Delivery delivery)
    {
        PushMetrics.Count(DeliveryOutcome.Failed);
        var wait = Wait(++queue.Failures, delivery.RetryAfter);
        if (down.TryAdd(queue.Target.Authority, true))
            GatewayIsDown(queue.Target.Authority, delivery.Failure ?? "an error here");
        queue.Fail(onlyBadge: due is null);
        failing[queue] = true;
        _ = RetryAfter(queue, wait);
    }

    /// <summary>The gateway is back: whoever waits for it need not wait any longer.</summary>
    void Recovered(PusherQueue queue)
    {
        if (down.TryRemove(queue.Target.Authority, out _))
            GatewayIsBack(queue.Target.Authority);
        foreach (var other in failing.Keys.Where(other => other.Target.Authority == queue.Target.Authority))
        {
            other.Retry();
            Wake(other);
        }
    }

    async Task RetryAfter(PusherQueue queue, TimeSpan wait)
    {
        try
        {
            await Task.Delay(wait, time, queue.Closing);
        }
        catch (OperationCanceledException)
        {
            // another replica tries
        }
        failing.TryRemove(queue, out _);
        queue.Retry();
        Wake(queue);
    }

    TimeSpan Wait(int failures, TimeSpan? wanted)
    {
        var wait = Backoff.After(failures, options);
        return !(wanted > wait) ? wait : wanted < options.LongestRetry ? wanted.Value : options.LongestRetry;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The gateway rejected the key of pusher {PusherId} ({AppId}) of {UserId}: it is deleted")]
    partial void Rejected(long pusherId, string appId, string userId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The push gateway {Gateway} takes nothing and is tried again: {Reason}")]
    partial void GatewayIsDown(string gateway, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "The push gateway {Gateway} is back")]
    partial void GatewayIsBack(string gateway);

    [LoggerMessage(Level = LogLevel.Error, Message = "Pusher {PusherId} failed")]
    partial void NotDelivered(long pusherId, Exception cause);
}
