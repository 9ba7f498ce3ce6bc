using Matrix.ClientApi.Push;
using Matrix.Replication;
using Matrix.Storage.Push;

namespace Matrix.ClientApi.Endpoints.Push;

/// <summary>POST /_synapse/client/confirm_mail</summary>
static class PostConfirmMail
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_synapse/client/confirm_mail", Handle);

    static async Task<IResult> Handle(string? token, HttpContext context, PusherStore pushers, LogWriter log, CancellationToken ct)
    {
        var pusher = await MailPage.Find(token, pushers, ct);
        await log.Append(PushersChanged.Confirm(pusher), ct);
        return MailPage.Say(context, "From now on you are told by mail.");
    }
}
