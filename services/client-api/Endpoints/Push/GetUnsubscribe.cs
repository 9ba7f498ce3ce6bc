using Matrix.ClientApi.Push;
using Matrix.Storage.Push;

namespace Matrix.ClientApi.Endpoints.Push;

/// <summary>GET /_synapse/client/unsubscribe: the link at the end of a mail; works without a login.</summary>
static class GetUnsubscribe
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_synapse/client/unsubscribe", Handle);

    static async Task<IResult> Handle(string? token, HttpContext context, PusherStore pushers, CancellationToken ct)
    {
        var pusher = await MailPage.Find(token, pushers, ct);
        return MailPage.Ask(context, $"No more mail about messages of {pusher.UserId} to {pusher.Pushkey}?", "No more mail");
    }
}
