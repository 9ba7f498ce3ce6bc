using System.Net;
using Matrix.Http;
using Matrix.Storage.Push;

namespace Matrix.ClientApi.Push;

/// <summary>
/// What the links in mails show. A link only shows a button: mail programs and virus scanners follow links, and that must neither confirm an address nor
/// end a subscription.
/// </summary>
static class MailPage
{
    /// <exception cref="MatrixException">404: the link is not one of ours, or was used to unsubscribe.</exception>
    public static async Task<Pusher> Find(string? token, PusherStore pushers, CancellationToken ct) =>
        token is { Length: > 0 and <= 100 } && !token.Contains('\0', StringComparison.Ordinal) && await pushers.FindBySecret(token, ct) is { } pusher
            ? pusher : throw MatrixException.NotFound("There is no such subscription any more.");

    public static IResult Ask(HttpContext context, string question, string button) => Show(context,
        $"<p>{WebUtility.HtmlEncode(question)}</p><form method=\"post\"><button type=\"submit\">{WebUtility.HtmlEncode(button)}</button></form>");

    public static IResult Say(HttpContext context, string text) => Show(context, $"<p>{WebUtility.HtmlEncode(text)}</p>");

    static IResult Show(HttpContext context, string body)
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = "default-src 'none'; form-action 'self'; frame-ancestors 'none'";
        headers["Referrer-Policy"] = "no-referrer";
        headers.CacheControl = "no-store";
        return Results.Content($"<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>Mail</title>{body}</html>", "text/html; charset=utf-8");
    }
}
