using System.Text.Json;
using Matrix.ClientApi.Push;
using Matrix.Http;
using Matrix.Replication;
using Matrix.Storage.Push;

namespace Matrix.ClientApi.Endpoints.Push;

/// <summary>POST /_matrix/client/v3/pushers/set</summary>
static class PostPushersSet
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/pushers/set", Handle);

    static async Task<Empty> Handle(
        Body<PusherRequest> body, Requester requester, PusherStore pushers, PushSettings settings, MailSettings mail, RateLimits limits, LogWriter log,
        CancellationToken ct)
    {
        requester.MustNotBeGuest();
        var request = body.Value;
        request.MustBeGood();
        if (request.Kind is null)
        {
            if (!JsonElement.Parse(body.Utf8.Span).TryGetProperty("kind", out _)) throw MatrixException.MissingParam("kind"); // a null deletes
            await log.Append(PushersChanged.Delete(requester.UserId, request.AppId, request.Pushkey), ct);
            return default;
        }

        var pusher = request.Read(settings, mail);
        if (pusher.Kind == Pusher.Email)
            await limits.Check("rc_3pid_validation", requester.UserId.ToString(), ct); // the address gets a mail, whosever it is
        var own = await pushers.List(requester.UserId, ct);
        if (own.Count >= settings.MaxPushersPerUser && !own.Any(p => p.AppId == pusher.AppId && p.Pushkey == pusher.Pushkey))
            throw MatrixException.InvalidParam("You have too many pushers.");
        var others = request.Append ? [] : await pushers.ListOtherUsers(requester.UserId, pusher.AppId, pusher.Pushkey, ct);
        try
        {
            await log.Append(PushersChanged.Set(requester.UserId, requester.DeviceId, pusher, others), ct);
        }
        catch (ChangeRefusedException)
        {
            throw MatrixException.UnknownToken(); // the device was removed meanwhile
        }
        return default;
    }
}
