using Matrix.ClientApi.Delayed;
using Matrix.Http;
using Matrix.Storage.Rooms;

namespace Matrix.ClientApi.Endpoints.Delayed;

/// <summary>What may be done with a delayed event: <c>send</c>, <c>cancel</c> and <c>restart</c>.</summary>
sealed class DelayedEventActions(DelayedEventStore store, DelayedEvents delayed, RateLimits limits)
{
    /// <param name="requester">
    /// Null: a server that watches a call for its members was given the delay id, which is a secret, and no token. Clients of today have it so.
    /// </param>
    /// <exception cref="MatrixException">400, 404, 409, 429.</exception>
    public async Task<Empty> Act(string delayId, string action, Requester? requester, HttpContext context, CancellationToken ct)
    {
        var who = requester?.UserId.ToString() ?? RateLimits.AddressKey(context.Connection.RemoteIpAddress);
        await limits.Check("rc_delayed_event_mgmt", who, ct);
        if (await store.Find(delayId, ct) is not { } found || (requester is not null && requester.UserId != found.UserId))
            throw MatrixException.NotFound("There is no such delayed event.");
        await (action switch
        {
            "send" => Send(found, ct),
            "cancel" => delayed.Cancel(found, ct),
            "restart" => delayed.Restart(found, ct),
            _ => throw MatrixException.InvalidParam("The action must be send, cancel or restart."),
        });
        return default;
    }

    async Task Send(DelayedEvent found, CancellationToken ct)
    {
        await limits.Check("rc_message", found.UserId.ToString(), ct);
        await delayed.Send(found, ct);
    }
}
