using Matrix.ClientApi.Push;
using Matrix.Storage.Push;

namespace Matrix.ClientApi.Endpoints.Push;

/// <summary>GET /_synapse/client/confirm_mail: the link in the mail that asks an address whether it wants mail.</summary>
static class GetConfirmMail
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_synapse/client/confirm_mail", Handle);

    static async Task<IResult> Handle(string? token, HttpContext context, PusherStore pushers, CancellationToken ct)
    {
        var pusher = await MailPage.Find(token, pushers, ct);
        return MailPage.Ask(context, $"Mail about unread messages of {pusher.UserId} to {pusher.Pushkey}?", "Yes, send mail");
    }
}
