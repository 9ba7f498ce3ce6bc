using Matrix.ClientApi.Push;
using Matrix.Replication;
using Matrix.Storage.Push;

namespace Matrix.ClientApi.Endpoints.Push;

/// <summary>POST /_synapse/client/unsubscribe: of the page, or of a mail program by one click (RFC 8058).</summary>
static class PostUnsubscribe
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_synapse/client/unsubscribe", Handle);

    static async Task<IResult> Handle(string? token, HttpContext context, PusherStore pushers, LogWriter log, CancellationToken ct)
    {
        var pusher = await MailPage.Find(token, pushers, ct);
        await log.Append(PushersChanged.Unsubscribe(pusher), ct);
        return MailPage.Say(context, "There will be no more mail.");
    }
}
