using Matrix.Pusher.Mail;

namespace Matrix.Pusher.Tests;

/// <summary>Mail pushers: digests of what was not read, through a real SMTP server with TLS and a login.</summary>
public sealed class MailTests(MailServer mail) : IClassFixture<MailServer>
{
    /// <summary>A GIF of one pixel.</summary>
    static readonly byte[] Picture = Convert.FromBase64String("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7");

    [Fact]
    public async Task One_mail_tells_of_all_that_is_unread_with_names_and_context()
    {
        var (alice, bob, room, address) = await mail.MailedInRoom();
        var second = await alice.CreateRoom(new { name = "Another room" });
        await alice.Invite(second, bob);
        await bob.Join(second);
        await bob.Say(room, "What Bob said before");
        await alice.Say(room, "Hello <b>Bob</b>");
        await alice.Send(second, "m.room.message", new { msgtype = "m.image", body = "cat.jpg", url = "mxc://example.org/cat" });

        var sent = (await mail.Smtp.Wait(address, 2))[1];
        Assert.Equal("Unread messages in Cats & <dogs> and another room", sent.Subject);
        Assert.Equal("noreply@example.org", sent.From.Mailboxes.Single().Address);
        Assert.All(["Cats & <dogs>", "What Bob said before", $"{alice.Localpart} *: Hello <b>Bob</b>", "Another room", "(a picture)", $"https://app.example.org/#/room/{room}"],
            text => Assert.Contains(text, sent.TextBody, StringComparison.Ordinal));
        Assert.All(["Cats &amp; &lt;dogs&gt;", "What Bob said before", "Hello &lt;b&gt;Bob&lt;/b&gt;", $"<b>{alice.Localpart}</b>"],
            html => Assert.Contains(html, sent.HtmlBody, StringComparison.Ordinal));
        Assert.DoesNotContain("<b>Bob</b>", sent.HtmlBody, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pictures_are_shown_by_links_that_need_no_token_and_are_good_for_nothing_else()
    {
        var (alice, _, room, address) = await mail.MailedInRoom();
        var picture = (await alice.Post("/_matrix/media/v3/upload", Picture)).Ok().String("content_uri");
        var path = $"{mail.Server.ServerName}/{picture[(picture.LastIndexOf('/') + 1)..]}";
        (await alice.Put($"/_matrix/client/v3/profile/{ApiClient.Esc(alice.UserId)}/avatar_url", new { avatar_url = picture })).Ok();
        await alice.Say(room, "Look at me");

        var sent = (await mail.Smtp.Wait(address, 2))[1];
        var link = MailServer.LinkIn(sent.HtmlBody, "picture");
        Assert.StartsWith($"/_synapse/client/picture/{path}?key=", link, StringComparison.Ordinal);
        var shown = (await mail.Server.Anonymous.Get(link)).Ok();
        Assert.StartsWith("image/", shown.ContentHeaders.ContentType?.MediaType, StringComparison.Ordinal);
        (await mail.Server.Anonymous.Get(link[..^1] + (link[^1] == '0' ? '1' : '0'))).Refused(404, "M_NOT_FOUND");
        (await mail.Server.Anonymous.Get(link.Replace(path, $"{mail.Server.ServerName}/other", StringComparison.Ordinal))).Refused(404, "M_NOT_FOUND");
        (await mail.Server.Anonymous.Get($"/_synapse/client/picture/{path}")).Refused(404, "M_NOT_FOUND");
        (await mail.Server.Anonymous.Get($"/_matrix/client/v1/media/thumbnail/{path}?width=48&height=48")).Refused(401, "M_MISSING_TOKEN");
    }

    [Fact]
    public async Task Nothing_is_mailed_that_was_read_in_time_or_to_an_address_that_did_not_agree()
    {
        var (alice, bob, room, address) = await mail.MailedInRoom();
        var carol = await mail.Server.NewUser();
        var other = $"{carol.Localpart}@example.org";
        (await MailServer.SetPusher(carol, other)).Ok();
        await alice.Invite(room, carol);
        await carol.Join(room);
        var read = await alice.Say(room, "read in time");
        (await bob.Post($"/_matrix/client/v3/rooms/{ApiClient.Esc(room)}/receipt/m.read/{ApiClient.Esc(read.EventId)}")).Ok();
        await alice.Say(room, "unread");

        var sent = (await mail.Smtp.Wait(address, 2))[1];
        Assert.Contains("*: unread", sent.TextBody, StringComparison.Ordinal);
        Assert.DoesNotContain("*: read in time", sent.TextBody, StringComparison.Ordinal);
        Assert.Equal("Mail from Example chat?", Assert.Single(await mail.Smtp.Wait(other, 1)).Subject);
    }

    [Fact]
    public async Task A_room_that_stays_unread_is_not_mailed_about_again_and_again()
    {
        var (alice, bob, room, address) = await mail.MailedInRoom();
        var first = await alice.Say(room, "the first");
        await mail.Smtp.Wait(address, 2);
        var second = await alice.CreateRoom(new { name = "Another room" });
        await alice.Invite(second, bob);
        await bob.Join(second);
        var later = await alice.Say(room, "too early");
        await alice.Say(second, "in the other room");
        var other = (await mail.Smtp.Wait(address, 3))[2];
        Assert.Equal("Unread messages in Another room", other.Subject);

        (await bob.Post($"/_matrix/client/v3/rooms/{ApiClient.Esc(room)}/receipt/m.read/{ApiClient.Esc(later.EventId)}")).Ok();
        await alice.Say(room, "after reading");
        var again = (await mail.Smtp.Wait(address, 4))[3];
        Assert.Contains("*: after reading", again.TextBody, StringComparison.Ordinal);
        Assert.DoesNotContain("*: too early", again.TextBody, StringComparison.Ordinal);
        Assert.NotEqual(first.EventId, later.EventId);
    }

    [Fact]
    public async Task The_link_in_a_mail_ends_it_without_a_login_but_not_by_looking()
    {
        var (alice, bob, room, address) = await mail.MailedInRoom();
        await alice.Say(room, "hello");
        var sent = (await mail.Smtp.Wait(address, 2))[1];
        var link = MailServer.LinkIn(sent.TextBody, "unsubscribe");
        Assert.Equal(link, MailServer.LinkIn(sent.Headers["List-Unsubscribe"], "unsubscribe"));
        Assert.Equal("List-Unsubscribe=One-Click", sent.Headers["List-Unsubscribe-Post"]);

        var page = (await mail.Server.Anonymous.Get(link)).Ok();
        Assert.Contains("<form method=\"post\">", page.Text, StringComparison.Ordinal);
        Assert.Single((await bob.Get("/_matrix/client/v3/pushers")).Ok()["pushers"].Items());
        (await mail.Server.Anonymous.Post(link)).Ok();
        Assert.Empty((await bob.Get("/_matrix/client/v3/pushers")).Ok()["pushers"].Items());
        (await mail.Server.Anonymous.Post(link)).Refused(404, "M_NOT_FOUND");
    }

    [Fact]
    public async Task A_mail_that_the_server_cannot_take_now_is_sent_later_once()
    {
        var (alice, bob, room, address) = await mail.MailedInRoom();
        mail.Smtp.Refusals = 2;
        await alice.Say(room, "hello");
        await mail.Smtp.Wait(address, 2);
        (await bob.Get("/_matrix/client/v3/pushers")).Ok();

        Assert.Equal((0, 2), (mail.Smtp.Refusals, mail.Smtp.To(address).Count));
    }

    [Theory]
    [InlineData("nobody")]
    [InlineData("a@b@example.org")]
    [InlineData("Bob <bob@example.org>")]
    [InlineData("bob@example.org, carol@example.org")]
    [InlineData("bob@example.org\r\nBcc: carol@example.org")]
    public async Task A_mail_pusher_has_one_plain_address(string address)
    {
        var alice = await mail.Server.NewUser();
        (await MailServer.SetPusher(alice, address)).Refused(400, "M_INVALID_PARAM");
        (await MailServer.SetPusher(alice, "bob@example.org", "org.example")).Refused(400, "M_INVALID_PARAM");
    }

    [Fact]
    public async Task TLS_from_the_first_byte_works_and_a_certificate_of_nobody_does_not()
    {
        await using var smtp = new TestSmtpServer(tlsFirst: true);
        var message = new OutgoingMail("to@example.org", "Subject", "<p>html</p>", "text", "id@example.org", null);
        using var trusting = new MailSender(Options(smtp, smtp.CaFile));
        await trusting.Send(message, TestContext.Current.CancellationToken);
        using var careful = new MailSender(Options(smtp, null));
        await Assert.ThrowsAsync<MailKit.Security.SslHandshakeException>(() => careful.Send(message, TestContext.Current.CancellationToken));

        Assert.Equal("text", Assert.Single(await smtp.Wait("to@example.org", 1)).TextBody?.Trim());
    }

    static MailOptions Options(TestSmtpServer smtp, string? authorities) => new()
    {
        SmtpHost = "localhost", SmtpPort = smtp.Port, SmtpUser = TestSmtpServer.User, SmtpPass = TestSmtpServer.Password, ForceTls = true,
        SmtpCaFile = authorities, NotifFrom = "noreply@example.org",
    };
}
