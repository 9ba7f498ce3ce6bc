using System.Globalization;
using System.Net;
using System.Text.Json;
using Matrix.Federation.Tests.Harness;
using Matrix.Protocol;
using Matrix.Storage.Federation;
using Matrix.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Matrix.Federation.Tests.Sender;

/// <summary>Servers that are away, and our own that end in the middle of their work.</summary>
public sealed class OutageTests(FederatedServers servers)
{
    const string Never = "3600000";

    [Fact]
    public async Task A_server_that_was_away_gets_what_it_missed_as_soon_as_it_is_heard_from()
    {
        await using var remote = await servers.NewRemote();
        await using var other = await servers.NewRemote();
        await using var server = await servers.Start(Patient);
        var (inbox, well) = (new RemoteInbox(remote), new RemoteInbox(other));
        var alice = await server.NewUser();
        var room = await alice.CreatePublicRoom();
        await inbox.Join(server, room);
        await well.Join(server, room);
        var invited = await Invite(alice, remote, "carol");
        inbox.IsDown = true;
        string[] said = ["one", "two", "three", "four"];
        foreach (var body in said)
            await alice.Say(room, body);
        (await alice.Post($"/_matrix/client/v3/rooms/{Uri.EscapeDataString(invited)}/kick", new { user_id = remote.User("carol").ToString() })).Ok();
        // the others do not wait for it, and it is not tried again before its time
        await well.Until(() => well.Bodies.Count == said.Length);
        await remote.Asked(IsSend);
        Assert.InRange(remote.Requests.Count(IsSend), 1, said.Length + 1);
        await AdministratorsSee(server, remote);
        inbox.IsDown = false;

        // her server is in none of the rooms that she was invited to
        await inbox.HeardUntil(server, () => inbox.Bodies.Count >= said.Length && inbox.Pdus.Any(pdu => pdu.String("room_id") == invited));
        Assert.Equal(said, inbox.Bodies);
        Assert.Equal("leave", Assert.Single(inbox.Pdus, pdu => pdu.String("room_id") == invited).String("content.membership"));
        await alice.Say(room, "five");
        await inbox.Until(() => inbox.Bodies.Contains("five"));
        Assert.Equal([.. said, "five"], inbox.Bodies);
        var destinations = server.Services.GetRequiredService<DestinationStore>();
        await Eventually.True("of a server that keeps up nothing stands any more", async () => await destinations.DeleteSettled(TestContext.Current.CancellationToken) > 0);
    }

    [Fact]
    public async Task After_a_long_outage_a_server_gets_the_newest_event_of_each_room()
    {
        await using var remote = await servers.NewRemote();
        await using var server = await servers.Start(Patient);
        var inbox = new RemoteInbox(remote);
        var alice = await server.NewUser();
        var (busy, quiet) = (await alice.CreatePublicRoom(), await alice.CreatePublicRoom());
        await inbox.Join(server, busy);
        await inbox.Join(server, quiet);
        inbox.IsDown = true;
        await alice.Say(quiet, "quiet");
        for (var i = 0; i < 70; i++)
            await alice.Say(busy, i.ToString(CultureInfo.InvariantCulture));
        await remote.Asked(request => request.Method == HttpMethod.Put);
        inbox.IsDown = false;

        await inbox.HeardUntil(server, () => inbox.Bodies.Contains("69"));
        Assert.Equal(["quiet", "69"], inbox.Bodies);
    }

    [Theory]
    [InlineData(HttpStatusCode.NotFound)]
    [InlineData(HttpStatusCode.Unauthorized)]
    [InlineData(HttpStatusCode.Redirect)]
    [InlineData(HttpStatusCode.OK)]
    public async Task Who_answers_and_takes_nothing_is_tried_when_it_is_heard_from_and_asked_other_things_meanwhile(HttpStatusCode status)
    {
        await using var remote = await servers.NewRemote();
        await using var server = await servers.Start(Patient);
        var inbox = new RemoteInbox(remote);
        var isBroken = true;
        inbox.Instead = async context =>
        {
            if (!isBroken)
                return null;
            if (status == HttpStatusCode.OK) // as if it took it, with an answer that nobody reads to its end
                await context.Response.Body.WriteAsync(new byte[2 << 20], context.RequestAborted);
            return new RemoteAnswer(status, "<html>");
        };
        var alice = await server.NewUser();
        var room = await alice.CreatePublicRoom();
        await inbox.Join(server, room);
        await alice.Say(room, "one");
        await remote.Asked(IsSend);
        await server.Services.GetRequiredService<FederationClient>().Get<JsonElement>(remote.Name, "/_matrix/key/v2/server", TestContext.Current.CancellationToken);
        isBroken = false;
        await inbox.HeardUntil(server, () => inbox.Bodies.Contains("one"));
        Assert.Equal(["one"], inbox.Bodies);
    }

    [Fact]
    public async Task Who_asks_to_be_left_alone_is_and_whoever_is_heard_from_in_vain_for_a_moment()
    {
        await using var remote = await servers.NewRemote();
        await using var broken = await servers.NewRemote();
        await using var other = await servers.NewRemote();
        await using var server = await servers.Start(configuration => configuration["federation_sender:first_pause_milliseconds"] = "20");
        var (asking, failing, well) = (new RemoteInbox(remote), new RemoteInbox(broken) { IsDown = true }, new RemoteInbox(other));
        var askedFor = new TaskCompletionSource();
        asking.Instead = _ =>
        {
            var isLong = remote.Requests.Count(IsSend) > 2;
            if (isLong)
                askedFor.TrySetResult();
            return Task.FromResult<object?>(new RemoteAnswer(HttpStatusCode.TooManyRequests, new { errcode = "M_LIMIT_EXCEEDED", error = "slower", retry_after_ms = isLong ? 3_600_000 : 1 }));
        };
        var alice = await server.NewUser();
        var room = await alice.CreatePublicRoom();
        foreach (var inbox in new[] { asking, failing, well })
            await inbox.Join(server, room);
        await alice.Say(room, "one");
        await askedFor.Task.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);

        var began = TimeProvider.System.GetTimestamp();
        var tried = broken.Requests.Count(IsSend);
        for (var i = 0; i < 100; i++)
        {
            (await remote.Get(server, Nobody(server))).Refused(404, "M_NOT_FOUND");
            (await broken.Get(server, Nobody(server))).Refused(404, "M_NOT_FOUND");
        }
        await alice.Say(room, "two");
        await well.Until(() => well.Bodies.Contains("two"));
        Assert.Equal(3, remote.Requests.Count(IsSend));
        // by its own pauses, which double, it is tried a few times
        Assert.InRange(broken.Requests.Count(IsSend) - tried, 0, 25 + (int)(TimeProvider.System.GetElapsedTime(began) / TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public async Task A_server_that_ends_in_the_middle_loses_nothing_and_the_next_one_goes_on()
    {
        await using var home = await LastingHome.Create(servers);
        await using var remote = await servers.NewRemote();
        await using var slow = await servers.NewRemote();
        var (inbox, stuck) = (new RemoteInbox(remote), new RemoteInbox(slow));
        string[] said = [.. Enumerable.Range(0, 60).Select(i => i.ToString(CultureInfo.InvariantCulture))];
        string room;
        var first = await home.Start();
        await using (first)
        {
            var alice = await first.NewUser();
            room = await alice.CreatePublicRoom();
            await inbox.Join(first, room);
            await stuck.Join(first, room);
            stuck.Hold = ct => Task.Delay(Timeout.Infinite, ct);
            foreach (var body in said)
                await alice.Say(room, body);
            await inbox.Until(() => inbox.Bodies.Count > 0);
        }
        stuck.Hold = _ => Task.CompletedTask;

        await using var second = await home.Start();
        await stuck.Until(() => stuck.Bodies.Contains(said[^1]));
        await inbox.Until(() => inbox.Bodies.Contains(said[^1]));
        Assert.Equal(said, stuck.Bodies.Distinct());
        Assert.Equal(said, inbox.Bodies.Distinct());
    }

    [Fact]
    public async Task A_server_that_ends_while_it_takes_destinations_over_passes_nothing_by()
    {
        await using var home = await LastingHome.Create(servers);
        await using var remote = await servers.NewRemote();
        var inbox = new RemoteInbox(remote);
        // which destinations lag cannot be read: a takeover comes no further than there
        await using var noList = await home.Lock("federation_destinations");
        var first = await home.Start();
        await using (first)
        {
            var alice = await first.NewUser();
            var room = await alice.CreatePublicRoom();
            // and it does not begin before there is something to deliver
            await using (await home.Lock("leases"))
            {
                await inbox.Join(first, room);
                await alice.Say(room, "one");
            }
            await home.UntilWaited("federation_destinations");
        }
        await noList.DisposeAsync();

        await using var second = await home.Start();
        await inbox.Until(() => inbox.Bodies.Contains("one"));
        Assert.Equal(["one"], inbox.Bodies);
    }

    [Fact]
    public async Task Two_replicas_share_the_destinations_and_deliver_each_event_once()
    {
        await using var home = await LastingHome.Create(servers);
        await using var first = await home.Start();
        var remotes = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => servers.NewRemote()));
        var inboxes = remotes.Select(remote => new RemoteInbox(remote)).ToArray();
        var alice = await first.NewUser();
        var room = await alice.CreatePublicRoom();
        foreach (var inbox in inboxes)
            await inbox.Join(first, room);
        await alice.Say(room, "alone");
        await using var second = await home.Start();
        string[] said = [.. Enumerable.Range(0, 40).Select(i => i.ToString(CultureInfo.InvariantCulture))];
        foreach (var body in said)
            await alice.Say(room, body);

        foreach (var inbox in inboxes)
        {
            await inbox.Until(() => inbox.Bodies.Contains(said[^1]));
            Assert.Equal(["alone", .. said], inbox.Bodies.Distinct());
        }
        foreach (var remote in remotes)
            await remote.DisposeAsync();
    }

    static string Nobody(MatrixServer server) => "/_matrix/federation/v1/query/directory?room_alias=" + Uri.EscapeDataString($"#none:{server.ServerName}");

    static bool IsSend(RemoteRequest request) => request.Path.Contains("/send/", StringComparison.Ordinal);

    /// <summary>A room to which a user of another server is invited.</summary>
    static async Task<string> Invite(User alice, RemoteServer remote, string localpart)
    {
        remote.On(HttpMethod.Put, "/_matrix/federation/v2/invite/", request =>
        {
            var invite = Pdu.Parse(JsonSerializer.SerializeToUtf8Bytes(request.Json.At("event")), RoomVersions.Find(request.Json.String("room_version"))!);
            return new { @event = JsonElement.Parse(EventSignatures.AddSignature(invite, remote.Name, remote.Key).Json.Span) };
        });
        return await alice.CreateRoom(new { invite = new[] { remote.User(localpart).ToString() } });
    }

    static async Task AdministratorsSee(MatrixServer server, RemoteServer remote)
    {
        const string Path = "/_synapse/admin/v1/federation/destinations";
        var admin = await server.NewUser(admin: true);
        (await (await server.NewUser()).Get(Path)).Refused(403, "M_FORBIDDEN");
        var one = $"{Path}/{Uri.EscapeDataString(remote.Name.ToString())}";
        var shown = await Eventually.Get("it is shown that it fails", async () => (await admin.Get(one)).Ok(),
            reply => reply.Json.Find("failure_ts") is { ValueKind: JsonValueKind.Number });
        Assert.Equal(3_600_000, shown["retry_interval"].GetInt64());
        Assert.Equal(2, (await admin.Get($"{Path}?limit=1")).Ok()["total"].GetInt64());
        Assert.Equal(remote.Name.ToString(), Assert.Single((await admin.Get($"{Path}?destination={Uri.EscapeDataString(remote.Name.ToString())}")).Ok()["destinations"].Items()).String("destination"));
        Assert.Single((await admin.Get($"{one}/rooms")).Ok()["rooms"].Items());
        (await admin.Get($"{Path}/nowhere.example")).Refused(404, "M_NOT_FOUND");
        (await admin.Post($"{Path}/nowhere.example/reset_connection")).Refused(404, "M_NOT_FOUND");
    }

    static void Patient(Dictionary<string, string?> configuration)
    {
        configuration["federation_sender:first_pause_milliseconds"] = Never;
        configuration["federation_sender:most_caught_up_in_full"] = "50";
    }
}
