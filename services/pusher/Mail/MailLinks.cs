using Matrix.Federation;
using Matrix.Hosting.Configuration;
using Matrix.Protocol;

namespace Matrix.Pusher.Mail;

/// <summary>Where the links in mails lead.</summary>
sealed class MailLinks(HomeserverOptions homeserver, MailOptions options, PictureLinks pictures)
{
    /// <summary>Of this server; ends with a slash.</summary>
    readonly string baseUrl = (homeserver.PublicBaseurl?.ToString() ?? $"https://{homeserver.ServerName}/").TrimEnd('/') + "/";

    public string Room(string roomId) => options.ClientBaseUrl is { } client ? $"{client.TrimEnd('/')}/#/room/{roomId}" : $"https://matrix.to/#/{Uri.EscapeDataString(roomId)}";

    public string Unsubscribe(string secret) => $"{baseUrl}_synapse/client/unsubscribe?token={secret}";

    public string Confirm(string secret) => $"{baseUrl}_synapse/client/confirm_mail?token={secret}";

    /// <summary>A picture, if mails may link to pictures and it is one of a media repository.</summary>
    public string? Picture(string? mxc) => options.LinkAvatars && MxcUri.TryParse(mxc, out var picture) ? baseUrl.TrimEnd('/') + pictures.To(picture) : null;
}
