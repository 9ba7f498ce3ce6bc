using System.ComponentModel.DataAnnotations;

namespace Matrix.ClientApi.Push;

/// <summary>Which pushers may be set: of the section <c>push</c>.</summary>
public sealed class PushSettings
{
    /// <summary>May a push gateway be reached by plain HTTP? Only for one in a network of one's own: contents of messages go there.</summary>
    public bool AllowInsecureGateways { get; init; }

    /// <summary>How many pushers a user may have.</summary>
    [Range(1, 1000)] public int MaxPushersPerUser { get; init; } = 50;
}

/// <summary>Is there somebody who sends mail? Of the section <c>email</c>, which the pusher service reads whole.</summary>
public sealed class MailSettings
{
    /// <summary>The mail server. Left out: no mail is sent, and nobody can ask for any.</summary>
    public string? SmtpHost { get; init; }

    public bool IsEnabled => SmtpHost is not null;
}
