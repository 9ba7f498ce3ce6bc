using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Matrix.Http;
using Matrix.Storage.Push;

namespace Matrix.ClientApi.Push;

/// <summary>What a client says to set or delete a pusher.</summary>
/// <param name="Kind">Null: delete it.</param>
/// <param name="Enabled">MSC3881: another device may switch it off for a while.</param>
sealed record PusherRequest(
    string? Kind, string AppId, string Pushkey, string? AppDisplayName = null, string? DeviceDisplayName = null, string? ProfileTag = null,
    string? Lang = null, JsonElement? Data = null, bool Append = false,
    [property: JsonPropertyName("org.matrix.msc3881.enabled")] bool? Enabled = null)
{
    const int LongestName = 1024, LargestData = 16 << 10;

    const string NotifyPath = "/_matrix/push/v1/notify";

    /// <exception cref="MatrixException">400: a value is missing or too long.</exception>
    public void MustBeGood()
    {
        if (AppId.Length is 0 or > 64) throw MatrixException.InvalidParam("'app_id' has 1 to 64 characters.");
        if (Pushkey.Length == 0 || Encoding.UTF8.GetByteCount(Pushkey) > 512) throw MatrixException.InvalidParam("'pushkey' has 1 to 512 bytes.");
        if (AppId.Contains('\0', StringComparison.Ordinal) || Pushkey.Contains('\0', StringComparison.Ordinal))
            throw MatrixException.InvalidParam("NUL is no character of a pusher.");
    }

    /// <summary>The pusher to be set.</summary>
    /// <exception cref="MatrixException">400</exception>
    public NewPusher Read(PushSettings settings, MailSettings mail)
    {
        var pusher = new NewPusher(AppId, Pushkey, Kind!, Text(AppDisplayName, "app_display_name"), Text(DeviceDisplayName, "device_display_name"),
            ProfileTag is null ? null : Text(ProfileTag, "profile_tag"), Text(Lang, "lang"),
            (Data ?? throw MatrixException.MissingParam("data")).GetRawText(), Enabled ?? true);
        if (Data is not { ValueKind: JsonValueKind.Object }) throw MatrixException.BadJson("'data' is an object.");
        if (Encoding.UTF8.GetByteCount(pusher.Data) > LargestData) throw MatrixException.TooLarge("'data' is too large.");
        if (Kind == Pusher.Email && mail.IsEnabled)
        {
            CheckAddress();
            return pusher with { Secret = RandomNumberGenerator.GetHexString(40, lowercase: true) };
        }
        if (Kind != Pusher.Http) throw MatrixException.InvalidParam("This server has no pushers of this kind.");
        CheckGateway(settings);
        return pusher;
    }

    // One address, plain: no list, no display name, nothing that could become a header. Whether it is the user's is asked by mail.
    void CheckAddress()
    {
        if (AppId != "m.email") throw MatrixException.InvalidParam("The 'app_id' of a mail pusher is m.email.");
        if (Pushkey.Length > 254 || Pushkey.Count(c => c == '@') != 1 || Pushkey.StartsWith('@') || Pushkey.EndsWith('@')
            || Pushkey.Any(c => c <= ' ' || c == 127 || "<>()[],;:\\\"".Contains(c, StringComparison.Ordinal)))
        {
            throw MatrixException.InvalidParam("'pushkey' is not a mail address.");
        }
    }

    void CheckGateway(PushSettings settings)
    {
        if (!Data!.Value.TryGetProperty("url", out var url)) throw MatrixException.MissingParam("data.url");
        if (url.ValueKind != JsonValueKind.String || !Uri.TryCreate(url.GetString(), UriKind.Absolute, out var gateway)
            || !(gateway.Scheme == "https" || (gateway.Scheme == "http" && settings.AllowInsecureGateways))
            || gateway.AbsolutePath != NotifyPath || gateway.UserInfo.Length > 0 || gateway.Host.Length == 0 || gateway.Fragment.Length > 0)
        {
            throw MatrixException.InvalidParam($"'data.url' is an HTTPS URL with the path {NotifyPath}.");
        }
    }

    static string Text(string? value, string name) => value switch
    {
        null => throw MatrixException.MissingParam(name),
        { Length: > LongestName } => throw MatrixException.InvalidParam($"'{name}' is too long."),
        _ when value.Contains('\0', StringComparison.Ordinal) => throw MatrixException.InvalidParam($"'{name}' contains NUL."),
        _ => value,
    };
}
