using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Matrix.Pusher.Http;
using Matrix.Storage.Caching;
using Matrix.Testing;

namespace Matrix.Pusher.Tests;

/// <summary>How gateways are reached, and what happens when they are not.</summary>
public sealed class DeliveryTests(PushServer push)
{
    [Fact]
    public async Task Pushes_of_a_key_come_in_the_order_of_events_each_once()
    {
        var (alice, _, room, key) = await push.PushedInRoom();
        const int Count = 60;
        var sent = new List<string>();
        for (var i = 0; i < Count; i++)
            sent.Add((await alice.Say(room, $"{i}")).EventId);

        Assert.Equal(sent, (await push.Gateway.Wait(key, Count)).Select(n => n.String("event_id")));
    }

    [Fact]
    public async Task A_key_that_the_gateway_rejects_is_no_pusher_any_more()
    {
        await using var gateway = await TestGateway.Start();
        var (alice, bob, room, key) = await push.PushedInRoom(new { url = gateway.Url });
        var other = await push.SetPusher(bob);
        gateway.Answer = _ => new GatewayReply(Body: new { rejected = new[] { key, other } }); // the other is not this gateway's to reject
        await alice.Say(room, "hello");
        await gateway.Wait(key, 1);
        await push.Gateway.Wait(other, 1);
        await Eventually.True("the pusher is gone", async () => (await bob.Get("/_matrix/client/v3/pushers")).Ok()["pushers"].GetArrayLength() == 1);
        await alice.Say(room, "again");
        await push.Gateway.Wait(other, 2);

        Assert.Single(gateway.For(key));
    }

    [Fact]
    public async Task A_gateway_that_comes_back_is_told_the_newest_in_order_and_no_flood()
    {
        await using var gateway = await TestGateway.Start();
        var (alice, bob, room, key) = await push.PushedInRoom(new { url = gateway.Url });
        var other = await push.SetPusher(bob);
        var tries = 0;
        gateway.Answer = _ =>
        {
            Interlocked.Increment(ref tries);
            return new GatewayReply(502);
        };
        await alice.Say(room, "0");
        await Eventually.True("it is tried again", () => Volatile.Read(ref tries) > 1);
        for (var i = 1; i < 10; i++)
            await alice.Say(room, i.ToString(CultureInfo.InvariantCulture));
        await push.Gateway.Wait(other, 10);
        var before = Volatile.Read(ref tries);
        await Eventually.True("it is tried once more", () => Volatile.Read(ref tries) > before + 1);
        gateway.Answer = _ => new GatewayReply();

        await gateway.WaitUntil(() => gateway.For(key), all => all.Any(n => n.String("content.body") == "9"));
        Assert.Equal(["7", "8", "9"], gateway.For(key).Select(n => n.String("content.body")));
    }

    [Fact]
    public async Task What_a_gateway_cannot_take_is_not_repeated()
    {
        await using var gateway = await TestGateway.Start();
        var (alice, _, room, key) = await push.PushedInRoom(new { url = gateway.Url });
        var refused = 0;
        gateway.Answer = n => n.Find("content.body")?.GetString() == "bad" && Interlocked.Increment(ref refused) > 0 ? new GatewayReply(400) : new GatewayReply();
        await alice.Say(room, "bad");
        await alice.Say(room, "good");

        var pushed = await gateway.Wait(key, 1);
        Assert.Equal(("good", 1), (pushed[0].String("content.body"), refused));
    }

    [Fact]
    public async Task A_gateway_that_hangs_holds_up_no_other()
    {
        await using var gateway = await TestGateway.Start();
        var hanging = new TaskCompletionSource();
        gateway.Answer = _ => new GatewayReply(Wait: hanging.Task);
        var (alice, bob, room, key) = await push.PushedInRoom();
        for (var i = 0; i < 20; i++)
            await push.SetPusher(bob, data: new { url = gateway.Url });
        for (var i = 0; i < 5; i++)
            await alice.Say(room, "hello");

        await push.Gateway.Wait(key, 5);
        Assert.Empty(gateway.Accepted);
        hanging.SetResult();
    }

    [Fact]
    public async Task Nothing_is_pushed_to_a_device_that_has_logged_out()
    {
        var (alice, bob, room, key) = await push.PushedInRoom();
        var phone = await bob.NewDevice();
        var phoneKey = await push.SetPusher(phone);
        await alice.Say(room, "both");
        await push.Gateway.Wait(key, 1);
        await push.Gateway.Wait(phoneKey, 1);
        (await phone.Post("/_matrix/client/v3/logout")).Ok();
        await alice.Say(room, "one");
        await push.Gateway.Wait(key, 2);
        await alice.Say(room, "still one");
        await push.Gateway.Wait(key, 3);

        Assert.Single(push.Gateway.For(phoneKey));
    }

    [Theory]
    [InlineData("http://127.0.0.1:{0}")]
    [InlineData("http://localhost:{0}")]
    [InlineData("http://[::ffff:127.0.0.1]:{0}")]
    [InlineData("http://0.0.0.0:{0}")]
    public async Task A_gateway_of_this_machine_is_not_connected_to_unless_configured(string address)
    {
        var port = new Uri(push.Gateway.Url).Port;
        using var caches = new Caches(new CacheOptions());
        using var gateways = new PushGateways(new PushOptions(), new PushAddressOptions(), caches);
        var url = new Uri(string.Format(CultureInfo.InvariantCulture, address, port) + "/_matrix/push/v1/notify");

        var answer = await gateways.Send(url, "{}"u8.ToArray(), TestContext.Current.CancellationToken);
        Assert.Null(answer.Status);
        Assert.Contains("ip_range_blacklist", answer.Failure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_gateway_that_sends_us_elsewhere_is_not_followed()
    {
        var ct = TestContext.Current.CancellationToken;
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var caches = new Caches(new CacheOptions());
        using var gateways = new PushGateways(new PushOptions(), new PushAddressOptions { IpRangeWhitelist = ["127.0.0.0/8"] }, caches);
        var sending = gateways.Send(new Uri($"http://{listener.LocalEndpoint}/_matrix/push/v1/notify"), "{}"u8.ToArray(), ct);
        using var connection = await listener.AcceptTcpClientAsync(ct);
        await connection.GetStream().WriteAsync(
            Encoding.ASCII.GetBytes($"HTTP/1.1 307 Temporary Redirect\r\nLocation: {push.Gateway.Url}/elsewhere\r\nContent-Length: 0\r\n\r\n"), ct);
        var answer = await sending;
        Assert.Equal((307, false), (answer.Status, answer.IsGood));
    }

    [Fact]
    public async Task A_gateway_whose_certificate_says_where_its_issuer_is_makes_us_fetch_nothing()
    {
        using var denied = new TcpListener(IPAddress.Parse("127.0.0.2"), 0);
        denied.Start();
        using var stranger = new CertificateAuthority();
        await using var gateway = await TlsServer.Start(stranger.Issue("127.0.0.1", $"http://{denied.LocalEndpoint}/ca.crt"), _ => Task.CompletedTask);
        using var caches = new Caches(new CacheOptions());
        using var gateways = new PushGateways(new PushOptions(), new PushAddressOptions { IpRangeWhitelist = ["127.0.0.1"] }, caches);

        var answer = await gateways.Send(new Uri($"https://{gateway.EndPoint}/_matrix/push/v1/notify"), "{}"u8.ToArray(), TestContext.Current.CancellationToken);
        Assert.Null(answer.Status);
        Assert.False(denied.Pending());
        Assert.Empty(gateway.Seen);
    }
}
