using Matrix.Protocol;

namespace Matrix.Pusher.Mail;

/// <summary>What a mail shows of events, people and rooms. Bodies are text: what senders formatted is not shown.</summary>
static class MailText
{
    const int LongestBody = 1000;

    static readonly string[] Colors = ["#368bd6", "#ac3ba8", "#0dbd8b", "#e64f7a", "#ff812d", "#2dc2c5", "#5c56f5", "#74d12c"];

    public static string Body(Pdu pdu) => pdu.Type switch
    {
        EventTypes.Encrypted => "(an encrypted message)",
        EventTypes.Member when pdu.Membership == "invite" => "invites you",
        EventTypes.Message => pdu.ContentString("msgtype"u8) switch
        {
            "m.image" => "(a picture)",
            "m.video" => "(a video)",
            "m.audio" => "(a recording)",
            "m.file" => "(a file)",
            _ => Shorten(pdu.ContentString("body"u8) ?? ""),
        },
        EventTypes.Sticker => "(a sticker)",
        "m.call.invite" => "calls",
        _ => $"({pdu.Type})",
    };

    /// <summary>The letter of a circle that stands for a picture.</summary>
    public static string Initial(string name) =>
        name.EnumerateRunes().FirstOrDefault(rune => System.Text.Rune.IsLetterOrDigit(rune)) is { Value: > 0 } letter ? letter.ToString().ToUpperInvariant() : "#";

    /// <summary>Always the same for the same user or room.</summary>
    public static string Color(string id) => Colors[id.Sum(c => c) % Colors.Length];

    static string Shorten(string body) =>
        body.Length <= LongestBody ? body : body[..(LongestBody - (char.IsHighSurrogate(body[LongestBody - 1]) ? 1 : 0))] + "…";
}
