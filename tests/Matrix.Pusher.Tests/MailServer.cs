using System.Globalization;

namespace Matrix.Pusher.Tests;

/// <summary>A homeserver that sends mail, and the SMTP server that takes it, shared by the tests of mail.</summary>
public sealed class MailServer : IAsyncLifetime
{
    public MatrixServer Server { get; private set; } = null!;

    public TestSmtpServer Smtp { get; } = new();

    public async ValueTask InitializeAsync() => Server = await MatrixServer.Start(configuration =>
    {
        PushServer.Configure(configuration);
        configuration["email:smtp_host"] = "localhost";
        configuration["email:smtp_port"] = Smtp.Port.ToString(CultureInfo.InvariantCulture);
        configuration["email:smtp_user"] = TestSmtpServer.User;
        configuration["email:smtp_pass"] = TestSmtpServer.Password;
        configuration["email:smtp_ca_file"] = Smtp.CaFile;
        configuration["email:require_transport_security"] = "true";
        configuration["email:notif_from"] = "Example chat <noreply@example.org>";
        configuration["email:app_name"] = "Example chat";
        configuration["email:client_base_url"] = "https://app.example.org";
        configuration["email:notif_delay_before_mail"] = "1s";
        configuration["rc_3pid_validation:per_second"] = "10000";
        configuration["rc_3pid_validation:burst_count"] = "10000";
        configuration["public_baseurl"] = "https://matrix.example.org/";
    });

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        await Smtp.DisposeAsync();
    }

    /// <summary>Two users in a room with a name, and the address at which the second one is told by mail.</summary>
    public async Task<(User Sender, User Receiver, string Room, string Address)> MailedInRoom()
    {
        var (alice, bob, room) = await Server.TwoUsersInRoom();
        await alice.SetState(room, "m.room.name", new { name = "Cats & <dogs>" });
        return (alice, bob, room, await Subscribe(bob));
    }

    /// <summary>Sets a mail pusher and confirms its address as its owner does.</summary>
    public async Task<string> Subscribe(User user)
    {
        var address = $"{user.Localpart}@example.org";
        (await SetPusher(user, address)).Ok();
        var mail = Assert.Single(await Smtp.Wait(address, 1));
        (await Server.Anonymous.Post(LinkIn(mail.TextBody, "confirm_mail"))).Ok();
        return address;
    }

    public static Task<Reply> SetPusher(User user, string address, string appId = "m.email") => user.Post("/_matrix/client/v3/pushers/set", new
    {
        kind = "email", app_id = appId, pushkey = address, app_display_name = "Mail", device_display_name = address, lang = "en", data = new { },
    });

    /// <summary>The path and query of a link of the homeserver in a mail.</summary>
    public static string LinkIn(string? text, string page)
    {
        Assert.NotNull(text);
        var begin = text.IndexOf($"https://matrix.example.org/_synapse/client/{page}", StringComparison.Ordinal);
        Assert.True(begin >= 0, text);
        var end = text.IndexOfAny(['\r', '\n', ' ', '>', '"'], begin);
        return new Uri(end < 0 ? text[begin..] : text[begin..end]).PathAndQuery;
    }
}
