using System.Globalization;
using System.Text;
using Matrix.Federation.Tests.Harness;
using Matrix.Federation.Tests.Joins;
using Matrix.Protocol;

namespace Matrix.Federation.Tests.Sender;

/// <summary>What other servers are sent of events, and in which order (Server-Server API, Transactions).</summary>
public sealed class DeliveryTests(FederatedServers servers)
{
    [Fact]
    public async Task Messages_arrive_once_and_in_order()
    {
        await using var remote = await servers.NewRemote();
        var inbox = new RemoteInbox(remote);
        var alice = await servers.First.NewUser();
        var room = await alice.CreatePublicRoom();
        await alice.Say(room, "before the server came");
        await inbox.Join(servers.First, room);

        string[] said = [.. Enumerable.Range(0, 120).Select(i => i.ToString(CultureInfo.InvariantCulture))];
        // the first is held up, so that the others come in batches
        var open = new TaskCompletionSource();
        inbox.Hold = ct => open.Task.WaitAsync(ct);
        foreach (var body in said)
            await alice.Say(room, body);
        open.SetResult();

        await inbox.Until(() => inbox.Bodies.Count >= said.Length);
        Assert.Equal(said, inbox.Bodies);
        Assert.All(inbox.Transactions, transaction => Assert.True(transaction.At("pdus").Items().Count <= 50));
        Assert.Contains(inbox.Transactions, transaction => transaction.At("pdus").Items().Count == 50);
        var pdu = inbox.Pdus[0];
        Assert.Equal((alice.UserId, room), (pdu.String("sender"), pdu.String("room_id")));
        Assert.True(Pdu.Parse(Encoding.UTF8.GetBytes(pdu.GetRawText()), RoomVersions.Find("12")!).HasValidContentHash);
    }

    [Theory, InlineData("1"), InlineData("2"), InlineData("3"), InlineData("12")]
    public async Task An_event_goes_out_as_it_was_signed_in_rooms_of_any_version(string version)
    {
        await using var remote = await servers.NewRemote();
        var inbox = new RemoteInbox(remote);
        var rules = RoomVersions.Find(version)!;
        var room = new RemoteRoom(remote, rules);
        room.Serve();
        var alice = await servers.First.NewUser();
        (await alice.Post($"/_matrix/client/v3/join/{Abroad.Esc(room.Id)}?via={remote.Name}")).Ok();
        var said = (await alice.Say(room.Id, "here")).EventId;
        await inbox.Until(() => inbox.Bodies.Contains("here"));

        var json = inbox.Pdus.Single(pdu => pdu.String("type") == "m.room.message");
        var pdu = Pdu.Parse(Encoding.UTF8.GetBytes(json.GetRawText()), rules);
        Assert.Equal((said, true), (pdu.EventId.ToString(), pdu.HasValidContentHash));
        var names = json.EnumerateObject().Select(member => member.Name).ToList();
        Assert.Equal(names.Distinct(), names);
        Assert.Equal(rules.HasAssignedEventIds, names.Contains("event_id"));
    }

    [Fact]
    public async Task A_server_gets_the_event_by_which_it_left_and_nothing_after_it()
    {
        await using var remote = await servers.NewRemote();
        await using var other = await servers.NewRemote();
        var (inbox, staying) = (new RemoteInbox(remote), new RemoteInbox(other));
        var alice = await servers.First.NewUser();
        var room = await alice.CreatePublicRoom();
        await inbox.Join(servers.First, room);
        await staying.Join(servers.First, room);
        await alice.Say(room, "one");
        (await alice.Post($"/_matrix/client/v3/rooms/{Uri.EscapeDataString(room)}/kick", new { user_id = remote.User("bob").ToString() })).Ok();
        await alice.Say(room, "two");

        await staying.Until(() => staying.Bodies.Count == 2);
        await inbox.Until(() => inbox.Pdus.Any(pdu => pdu.String("type") == EventTypes.Member));
        Assert.Equal(["one"], inbox.Bodies);
    }

    [Fact]
    public async Task Events_of_other_servers_are_passed_on_only_where_that_is_this_servers_task()
    {
        await using var remote = await servers.NewRemote();
        await using var third = await servers.NewRemote();
        var (inbox, joining) = (new RemoteInbox(remote), new RemoteInbox(third));
        var alice = await servers.First.NewUser();
        var room = await alice.CreatePublicRoom();
        await inbox.Join(servers.First, room);
        await joining.Join(servers.First, room, "not-ours-to-tell");
        await joining.Receive(servers.First, room, EventTypes.Member, third.User("carol"), new { membership = "join" }, third.User("carol").ToString(), relay: true);
        await alice.Say(room, "done");

        await inbox.Until(() => inbox.Bodies.Contains("done"));
        await joining.Until(() => joining.Bodies.Contains("done"));
        Assert.Equal(third.User("carol").ToString(), Assert.Single(inbox.Pdus, pdu => pdu.String("type") == EventTypes.Member).String("state_key"));
        Assert.DoesNotContain(joining.Pdus, pdu => pdu.String("type") == EventTypes.Member);
    }

    [Fact]
    public async Task What_a_server_refuses_is_left_out_and_holds_up_nothing()
    {
        await using var remote = await servers.NewRemote();
        var inbox = new RemoteInbox(remote);
        var alice = await servers.First.NewUser();
        var room = await alice.CreatePublicRoom();
        await inbox.Join(servers.First, room);
        var open = new TaskCompletionSource();
        inbox.Hold = ct => open.Task.WaitAsync(ct);
        inbox.Bears = transaction => transaction.At("pdus").Items().All(pdu => pdu.Find("content.body")?.GetString() is not ("7" or "11"));
        string[] said = [.. Enumerable.Range(0, 30).Select(i => i.ToString(CultureInfo.InvariantCulture))];
        foreach (var body in said)
            await alice.Say(room, body);
        open.SetResult();

        await inbox.Until(() => inbox.Bodies.Contains("29"));
        Assert.Equal(said.Except(["7", "11"]), inbox.Bodies);
    }

    [Fact]
    public async Task Servers_that_say_nothing_take_no_place_of_those_that_answer()
    {
        await using var mute = await servers.NewRemote();
        await using var remote = await servers.NewRemote();
        await using var server = await servers.Start(configuration =>
            (configuration["federation_sender:concurrency"], configuration["federation_sender:slow_after_milliseconds"]) = ("1", "50"));
        var (silent, inbox) = (new RemoteInbox(mute) { Hold = ct => Task.Delay(Timeout.Infinite, ct) }, new RemoteInbox(remote));
        var alice = await server.NewUser();
        var room = await alice.CreatePublicRoom();
        await silent.Join(server, room);
        await alice.Say(room, "to nobody");
        await mute.Asked(request => request.Method == HttpMethod.Put);
        await inbox.Join(server, room);
        await alice.Say(room, "one");
        await inbox.Until(() => inbox.Bodies.Contains("one"));
        Assert.Empty(silent.Bodies);
    }

    [Fact]
    public async Task A_server_that_refuses_every_event_is_away_and_misses_nothing_and_one_event_that_is_refused_alone_waits_for_others()
    {
        await using var remote = await servers.NewRemote();
        await using var server = await servers.Start(configuration => configuration["federation_sender:first_pause_milliseconds"] = "50");
        // it takes EDUs and empty transactions; once it has refused each event on its own, it takes all
        var refusedEach = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var inbox = new RemoteInbox(remote)
        {
            Bears = transaction =>
            {
                var events = transaction.At("pdus").Items();
                if (events.Count == 0 || refusedEach.Task.IsCompleted)
                    return true;
                if (events is [var only] && only.Find("content.body")?.GetString() == "two")
                    refusedEach.SetResult();
                return false;
            },
        };
        var alice = await server.NewUser();
        var room = await alice.CreatePublicRoom();
        await inbox.Join(server, room);
        await alice.Say(room, "one");
        await alice.Say(room, "two");
        await inbox.Until(() => inbox.Bodies.Contains("two"));
        Assert.Equal(["one", "two"], inbox.Bodies);

        inbox.Bears = transaction => transaction.At("pdus").Items().All(pdu => pdu.Find("content.body")?.GetString() != "not for you");
        await alice.Say(room, "not for you");
        await remote.Asked(request => request.Method == HttpMethod.Put
            && request.Json.At("pdus").Items() is [var only] && only.Find("content.body")?.GetString() == "not for you");
        await alice.Say(room, "three");
        await inbox.Until(() => inbox.Bodies.Contains("three"));
        await alice.Say(room, "four");
        await inbox.Until(() => inbox.Bodies.Contains("four"));
        Assert.Equal(["one", "two", "three", "four"], inbox.Bodies);

        // more than one transaction of events that it does not bear
        inbox.Bears = transaction => transaction.At("pdus").Items().All(pdu => pdu.Find("content.body")?.GetString() != "nor this");
        for (var i = 0; i < 55; i++)
            await alice.Say(room, "nor this");
        await alice.Say(room, "five");
        await inbox.Until(() => inbox.Bodies.Contains("five"));
        await alice.Say(room, "six");
        await inbox.Until(() => inbox.Bodies.Contains("six"));
        Assert.Equal(["one", "two", "three", "four", "five", "six"], inbox.Bodies.Distinct());
    }
}
