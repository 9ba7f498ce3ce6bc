using System.ComponentModel.DataAnnotations;

namespace Matrix.Pusher.Mail;

/// <summary>The section <c>email</c>: how mail is sent, and when. Names are those of Synapse where it has them.</summary>
public sealed class MailOptions : IValidatableObject
{
    /// <summary>The mail server. Left out: no mail is sent.</summary>
    public string? SmtpHost { get; init; }

    /// <summary>The mail server's port.</summary>
    [Range(1, 65535)] public int SmtpPort { get; init; } = 25;

    /// <summary>The name to log in with there. Left out: without logging in.</summary>
    public string? SmtpUser { get; init; }

    /// <summary>The password with <c>smtp_user</c>.</summary>
    public string? SmtpPass { get; init; }

    /// <summary>Speak TLS from the first byte, as on port 465.</summary>
    public bool ForceTls { get; init; }

    /// <summary>Send nothing without TLS (STARTTLS).</summary>
    public bool RequireTransportSecurity { get; init; }

    /// <summary>Use TLS (STARTTLS) where the mail server offers it.</summary>
    public bool EnableTls { get; init; } = true;

    /// <summary>A PEM file of the authorities that the mail server's certificate may be of, instead of the system's.</summary>
    public string? SmtpCaFile { get; init; }

    /// <summary>The sender of mails, such as <c>Example chat &lt;noreply@example.org&gt;</c>. Needed with <c>smtp_host</c>.</summary>
    public string? NotifFrom { get; init; }

    /// <summary>What the mails call this service.</summary>
    public string AppName { get; init; } = "Matrix";

    /// <summary>Links to rooms lead to this web client, such as <c>https://app.example.org</c>. Left out: to matrix.to.</summary>
    public string? ClientBaseUrl { get; init; }

    /// <summary>A folder with templates, which are used instead of the built-in ones of the same name.</summary>
    public string? TemplateDir { get; init; }

    /// <summary>Show pictures of people and rooms, by links that are good for the one picture. Without it a letter in a colour stands for them.</summary>
    public bool LinkAvatars { get; init; } = true;

    /// <summary>What was not read for so long is mailed.</summary>
    public TimeSpan NotifDelayBeforeMail { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>After a mail about a room so long none about the same room, unless it was read.</summary>
    public TimeSpan NotifRoomPause { get; init; } = TimeSpan.FromHours(1);

    /// <summary>The same after a second mail and all further ones.</summary>
    public TimeSpan NotifRoomLongestPause { get; init; } = TimeSpan.FromHours(24);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (SmtpHost is not null && (NotifFrom is null || !MimeKit.MailboxAddress.TryParse(NotifFrom, out _)))
            yield return new ValidationResult("must be a mail address where smtp_host is set", [nameof(NotifFrom)]);
        if (SmtpCaFile is not null && !File.Exists(SmtpCaFile))
            yield return new ValidationResult($"'{SmtpCaFile}' does not exist", [nameof(SmtpCaFile)]);
        if (TemplateDir is not null && !Directory.Exists(TemplateDir))
            yield return new ValidationResult($"'{TemplateDir}' is not a folder", [nameof(TemplateDir)]);
    }
}
