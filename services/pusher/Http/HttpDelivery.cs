using Matrix.Pusher.Judging;
using Matrix.Pusher.Work;
using Matrix.Rooms.Unread;

namespace Matrix.Pusher.Http;

enum DeliveryOutcome
{
    /// <summary>There was nothing to tell.</summary>
    Nothing,

    /// <summary>The gateway has been told, or will not hear of it.</summary>
    Told,

    /// <summary>The pusher's key is no good: it has to go.</summary>
    Rejected,

    /// <summary>To be tried again.</summary>
    Failed,
}

/// <param name="RetryAfter">When the gateway wants to be tried again, if it says so.</param>
readonly record struct Delivery(DeliveryOutcome Outcome, int? Badge = null, TimeSpan? RetryAfter = null, string? Failure = null);

/// <summary>Tells push gateways of events and of what is unread.</summary>
sealed class HttpDelivery(PushEvents events, PushJudge judge, RoomLabels labels, Badges badges, PushGateways gateways, PushOptions options)
{
    /// <param name="due">Null: only how much is unread, if that has changed.</param>
    public async Task<Delivery> Deliver(PusherQueue queue, Due? due, CancellationToken ct)
    {
        var pusher = queue.Pusher;
        if (due is not { } wanted)
        {
            var badge = (await badges.Get(pusher.UserId, null, ct)).Count;
            return badge == queue.Badge ? default : await Send(queue, NotificationBody.OfBadge(pusher, queue.Target, badge), badge, ct);
        }
        if (await events.Find(wanted.EventNid, ct) is not { } e)
            return default;
        var label = await labels.Get(e.Room.RoomNid, ct);
        if (await judge.Judge(e.Pdu, e.StateBefore, e.Levels, label.JoinedCount, pusher.UserId, ct) is not { } outcome)
            return default;
        var unread = await badges.Get(pusher.UserId, e.Room.RoomNid, ct);
        if (unread.InRoom == 0)
            return default; // it has been read meanwhile
        var body = NotificationBody.OfEvent(pusher, queue.Target, e, outcome, label, unread.Count, options.IncludeContent && !queue.Target.IsIdOnly);
        return await Send(queue, body, unread.Count, ct);
    }

    async Task<Delivery> Send(PusherQueue queue, byte[] body, int badge, CancellationToken ct)
    {
        if (queue.Target.Gateway is not { } gateway)
            return new Delivery(DeliveryOutcome.Told, badge);
        var answer = await gateways.Send(gateway, body, ct);
        if (answer.Rejected.Contains(queue.Pusher.Pushkey, StringComparer.Ordinal))
            return new Delivery(DeliveryOutcome.Rejected);
        // what it cannot understand or finds too large it will not take later either; everything else may be over soon
        return answer.IsGood || answer.Status is 400 or 413 ? new Delivery(DeliveryOutcome.Told, badge)
            : new Delivery(DeliveryOutcome.Failed, RetryAfter: answer.RetryAfter, Failure: answer.Failure ?? $"it answered {answer.Status}");
    }
}
