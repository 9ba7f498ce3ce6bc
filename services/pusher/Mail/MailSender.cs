using System.Security.Cryptography.X509Certificates;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

namespace Matrix.Pusher.Mail;

/// <summary>A mail to be sent.</summary>
/// <param name="MessageId">The same when the same mail is sent again after a crash, so that mailboxes can tell.</param>
/// <param name="Unsubscribe">A link that needs no login.</param>
sealed record OutgoingMail(string To, string Subject, string Html, string Text, string MessageId, string? Unsubscribe);

/// <summary>Hands mails to the SMTP server of the configuration, a few at a time.</summary>
sealed class MailSender(MailOptions options) : IDisposable
{
    const int AtOnce = 4;
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    readonly SemaphoreSlim turns = new(AtOnce);
    readonly Lazy<X509Certificate2Collection?> authorities = new(() => Load(options.SmtpCaFile));

    public bool IsEnabled => options.SmtpHost is not null;

    public void Dispose() => turns.Dispose();

    /// <summary>Returns when the server has taken the mail.</summary>
    /// <exception cref="Exception">It has not, for whatever reason MailKit gives.</exception>
    public async Task Send(OutgoingMail mail, CancellationToken ct)
    {
        using var message = Write(mail);
        await turns.WaitAsync(ct);
        try
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
            patience.CancelAfter(Patience);
            await Send(message, patience.Token);
        }
        finally
        {
            turns.Release();
        }
    }

    async Task Send(MimeMessage message, CancellationToken ct)
    {
        using var smtp = new SmtpClient();
        smtp.CheckCertificateRevocation = false; // most mail servers' authorities publish no lists that could be had in time
        if (authorities.Value is { } trusted)
            smtp.ServerCertificateValidationCallback = (_, certificate, _, errors) => IsOf(trusted, certificate, errors);
        await smtp.ConnectAsync(options.SmtpHost!, options.SmtpPort, options switch
        {
            { ForceTls: true } => SecureSocketOptions.SslOnConnect,
            { RequireTransportSecurity: true } => SecureSocketOptions.StartTls,
            { EnableTls: true } => SecureSocketOptions.StartTlsWhenAvailable,
            _ => SecureSocketOptions.None,
        }, ct);
        if (options is { SmtpUser: { } user, SmtpPass: { } password })
            await smtp.AuthenticateAsync(user, password, ct);
        await smtp.SendAsync(message, ct);
        await smtp.DisconnectAsync(true, CancellationToken.None); // it is sent
    }

    MimeMessage Write(OutgoingMail mail)
    {
        var message = new MimeMessage { Subject = mail.Subject, MessageId = mail.MessageId, Body = new BodyBuilder { HtmlBody = mail.Html, TextBody = mail.Text }.ToMessageBody() };
        message.From.Add(MailboxAddress.Parse(options.NotifFrom!));
        message.To.Add(MailboxAddress.Parse(mail.To));
        message.Headers.Add(HeaderId.AutoSubmitted, "auto-generated");
        if (mail.Unsubscribe is not null)
        {
            message.Headers.Add(HeaderId.ListUnsubscribe, $"<{mail.Unsubscribe}>");
            message.Headers.Add(HeaderId.ListUnsubscribePost, "List-Unsubscribe=One-Click"); // RFC 8058
        }
        return message;
    }

    static bool IsOf(X509Certificate2Collection trusted, X509Certificate? certificate, System.Net.Security.SslPolicyErrors errors)
    {
        if (certificate is null || (errors & ~System.Net.Security.SslPolicyErrors.RemoteCertificateChainErrors) != 0)
            return false; // above all: not the name that was asked for
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.CustomTrustStore.AddRange(trusted);
        using var own = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        return chain.Build(own);
    }

    static X509Certificate2Collection? Load(string? file)
    {
        if (file is null)
            return null;
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPemFile(file);
        return authorities;
    }
}
