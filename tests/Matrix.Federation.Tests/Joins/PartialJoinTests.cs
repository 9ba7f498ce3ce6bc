using System.Net;
using Matrix.Federation.Tests.Harness;
using Matrix.Federation.Tests.Sender;
using Matrix.Protocol;
using Matrix.Rooms.State;
using Matrix.Storage.Rooms;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Matrix.Federation.Tests.Joins;

/// <summary>Rooms of other servers that are joined before their members are known (docs/adr/0028).</summary>
public sealed partial class PartialJoinTests(FederatedServers servers, PartialJoinTests.Server ours) : IClassFixture<PartialJoinTests.Server>
{
    /// <summary>A server that does not wait for members at all, and takes nobody's silence.</summary>
    public sealed class Server(FederatedServers servers) : IAsyncLifetime
    {
        public MatrixServer Home { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Home = await servers.Start(Configure);

        public static void Configure(Dictionary<string, string?> configuration)
        {
            configuration["partial_joins:patience"] = "00:00:00";
            configuration["partial_joins:silence"] = "00:00:00.5";
        }

        public async ValueTask DisposeAsync() => await Home.DisposeAsync();
    }

    static readonly object Lazy = new { room = new { state = new { lazy_load_members = true } } };

    MatrixServer Home => ours.Home;

    [Fact]
    public async Task A_room_can_be_spoken_in_before_its_members_are_known_and_is_whole_afterwards()
    {
        var bob = await Home.NewUser();
        await using var remote = await servers.NewRemote();
        var (room, release) = Serve(remote, members: 30);

        await Join(bob, room);
        var said = await bob.Say(room.Id, "before anybody is known");
        await remote.Asked(request => request.Path.StartsWith("/_matrix/federation/v1/send/", StringComparison.Ordinal)
            && System.Text.Encoding.UTF8.GetString(request.Body).Contains("before anybody is known", StringComparison.Ordinal));
        var lazy = await bob.Sync(filter: Lazy);
        Assert.NotNull(lazy.Joined(room.Id));
        Assert.False(lazy.Joined(room.Id)!.Value.TryGetProperty("summary", out _));
        var whole = await bob.Sync();
        Assert.Null(whole.Joined(room.Id));
        var asked = bob.Get($"/_matrix/client/v3/rooms/{Abroad.Esc(room.Id)}/joined_members");
        Assert.Equal(HttpStatusCode.NotFound, (await remote.Get(Home, $"/_matrix/federation/v1/state_ids/{Abroad.Esc(room.Id)}?event_id={Abroad.Esc(said.EventId)}")).Status);
        Assert.False(asked.IsCompleted);

        release.SetResult();

        Assert.Equal(32, (await asked).Ok()["joined"].EnumerateObject().Count());
        var later = await bob.SyncUntil(sync => sync.Joined(room.Id) is not null, lazy.NextBatch, Lazy);
        Assert.Equal(32, later.Joined(room.Id)!.Value.At("summary").GetProperty("m.joined_member_count").GetInt32());
        var shown = await bob.SyncUntil(sync => sync.Joined(room.Id) is not null, whole.NextBatch);
        Assert.Equal(32, shown.Joined(room.Id)!.Value.At("state").At("events").Items().Concat(shown.Timeline(room.Id)).Where(e => e.String("type") == "m.room.member")
            .Select(e => e.String("state_key")).Distinct().Count());
        await IsConsistent(Home, room, said.EventId);
    }

    [Fact]
    public async Task What_others_say_waits_for_the_members_and_who_is_banned_among_them_is_not_heard()
    {
        var bob = await Home.NewUser();
        await using var remote = await servers.NewRemote();
        Pdu? unaware = null;
        var (room, release) = Serve(remote, members: 3, with: room =>
        {
            var eve = remote.User("eve");
            room.Add("m.room.member", eve.ToString(), new { membership = "join" }, eve);
            unaware = room.Build("m.room.message", null, new { msgtype = "m.text", body = "I am not banned" }, eve);
            room.Add("m.room.member", eve.ToString(), new { membership = "ban" });
        });
        await Join(bob, room);
        await bob.Say(room.Id, "is anybody here?");
        var member = remote.User("member1");
        var hello = room.Add("m.room.message", null, new { msgtype = "m.text", body = "hello" }, member);
        // by what she cites she is in the room
        var evil = remote.Build(room.Rules, new PduBuilder
        {
            Type = "m.room.message", Sender = unaware!.Sender, RoomId = room.RoomId, Content = unaware.ContentJson, PrevEvents = [hello.EventId],
            AuthEvents = unaware.AuthEvents, Depth = hello.Depth + 1, OriginServerTs = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(),
        });
        var bye = room.Add("m.room.message", null, new { msgtype = "m.text", body = "bye" }, member);

        await room.Send(Home, hello, evil, bye);
        Assert.DoesNotContain((await bob.Sync(filter: Lazy)).Timeline(room.Id), e => e.String("sender") == member.ToString());
        release.SetResult();

        await bob.SyncUntil(sync => sync.Timeline(room.Id).Any(e => e.String("event_id") == bye.EventId.ToString()), filter: Lazy);
        var sync = await bob.Sync(filter: Lazy);
        Assert.Contains(sync.Timeline(room.Id), e => e.String("event_id") == hello.EventId.ToString());
        Assert.DoesNotContain(sync.Timeline(room.Id), e => e.String("sender") == evil.Sender.ToString());
        Assert.NotNull((await Home.Services.GetRequiredService<EventStore>().FindByEventId(evil.EventId, Ct))!.Rejected);
    }

    [Fact]
    public async Task What_needs_the_members_waits_for_them()
    {
        var (bob, carol) = (await Home.NewUser(), await Home.NewUser());
        await using var remote = await servers.NewRemote();
        var (room, release) = Serve(remote, members: 2);
        await Join(bob, room);

        var path = $"/_matrix/client/v3/rooms/{Abroad.Esc(room.Id)}";
        var waiting = new Dictionary<string, Task<Reply>>
        {
            ["join"] = carol.Post($"/_matrix/client/v3/join/{Abroad.Esc(room.Id)}"),
            ["members"] = bob.Get($"{path}/members"),
            ["state"] = bob.Get($"{path}/state"),
            ["one event of the state"] = bob.Get($"{path}/state/m.room.member/{Abroad.Esc(remote.User("member1").ToString())}"),
            ["invite"] = bob.TryInvite(room.Id, carol.UserId),
            ["topic"] = bob.Put($"{path}/state/m.room.topic", new { topic = "mine" }),
            ["messages"] = bob.Get($"{path}/messages?dir=b&limit=5"),
            ["context"] = bob.Get($"{path}/context/{Abroad.Esc((await bob.Say(room.Id, "here")).EventId)}"),
            ["kick"] = bob.Post($"{path}/kick", new { user_id = remote.User("member1").ToString() }),
        };
        // what needs nobody but bob is answered behind them
        (await bob.Put($"/_matrix/client/v3/profile/{Abroad.Esc(bob.UserId)}/displayname", new { displayname = "Bob" })).Ok();
        (await bob.Get($"{path}/event/{Abroad.Esc((await bob.Say(room.Id, "still here")).EventId)}")).Ok();
        Assert.DoesNotContain(waiting, request => request.Value.IsCompleted);

        release.SetResult();
        foreach (var (what, request) in waiting)
            Assert.True((await request).Status is HttpStatusCode.OK or HttpStatusCode.Forbidden, what + ": " + (await request).Status);
        Assert.Equal(HttpStatusCode.OK, (await waiting["join"]).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await waiting["kick"]).Status);
        Assert.Equal(5, (await bob.Get($"{path}/joined_members")).Ok()["joined"].EnumerateObject().Count());
        await IsConsistent(Home, room, null);
    }

    [Fact]
    public async Task Another_server_is_asked_where_the_first_goes_silent()
    {
        var bob = await Home.NewUser();
        await using var remote = await servers.NewRemote();
        await using var other = await servers.NewRemote();
        var (room, _) = Serve(remote, members: 5, others: other.Name);
        var before = room.WholeState();
        remote.On(HttpMethod.Get, "/_matrix/federation/v1/state/", async (_, context) =>
        {
            await context.Response.WriteAsync("{\"pdus\":[", context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return null;
        });
        RemoteRoom.TellState(other, () => before, whole => Task.FromResult<object?>(whole));

        await Join(bob, room);

        Assert.Equal(7, await CountJoined(bob, room));
        // nobody of it is among the members: it has left between the join and the answer
        var known = (await Home.Services.GetRequiredService<RoomStore>().Find(room.RoomId!.Value, Ct))!;
        Assert.Equal([remote.Name], await Home.Services.GetRequiredService<RoomServers>().List(known.RoomNid, Ct));
    }

    [Fact]
    public async Task A_room_is_left_and_joined_anew_before_its_members_are_known()
    {
        var bob = await Home.NewUser();
        await using var remote = await servers.NewRemote();
        var (room, release) = Serve(remote, members: 4);
        await Join(bob, room);
        await bob.Leave(room.Id);
        Assert.Null((await bob.Sync(filter: Lazy)).Joined(room.Id));

        await Join(bob, room);
        var said = await bob.Say(room.Id, "again");
        release.SetResult();

        Assert.Equal(6, await CountJoined(bob, room));
        await IsConsistent(Home, room, said.EventId);
    }

    [Fact]
    public async Task What_one_process_leaves_undone_the_next_one_does()
    {
        await using var home = await LastingHome.Create(servers);
        await using var remote = await servers.NewRemote();
        var (room, release) = Serve(remote, members: 20);
        User bob;
        string said;
        await using (var first = await home.Start(Server.Configure))
        {
            bob = await first.NewUser();
            await Join(bob, room);
            said = (await bob.Say(room.Id, "before it ends")).EventId;
        }
        release.SetResult();
        await using var second = await home.Start(Server.Configure);

        Assert.Equal(22, await CountJoined(second.Here(bob), room));
        await IsConsistent(second, room, said);

        // and while one makes a room whole, another one writes in it
        await using var third = await home.Start(Server.Configure);
        (room, release) = Serve(remote, members: 20);
        await Join(second.Here(bob), room);
        var talking = Task.Run(async () =>
        {
            var (here, sent) = (third.Here(bob), new List<string>());
            for (var i = 0; i < 30; i++)
            {
                sent.Add((await here.Say(room.Id, $"message {i}")).EventId);
                if (i == 10)
                    release.SetResult();
            }
            return sent;
        }, Ct);
        var messages = await talking;
        Assert.Equal(22, await CountJoined(third.Here(bob), room));
        await IsConsistent(third, room, messages[^1]);
        var page = (await third.Here(bob).Get($"/_matrix/client/v3/rooms/{Abroad.Esc(room.Id)}/messages?dir=b&limit=30")).Ok()["chunk"].Items();
        Assert.Equal(messages.AsEnumerable().Reverse(), page.Select(e => e.String("event_id")));
    }

    [Fact]
    public async Task A_room_whose_members_come_at_once_is_never_without_them()
    {
        var alice = await servers.First.NewUser();
        var room = await alice.CreateRoom(new { preset = "public_chat" });

        var bob = await servers.Second.NewUser();
        await bob.JoinBy(servers.First, room);

        Assert.NotNull((await bob.Sync()).Joined(room));
        Assert.Equal(2, (await bob.Get($"/_matrix/client/v3/rooms/{Abroad.Esc(room)}/joined_members")).Ok()["joined"].EnumerateObject().Count());
    }

    [Fact]
    public async Task Nobody_waits_for_the_members_of_a_room_that_turns_out_big()
    {
        var bob = await servers.Second.NewUser(); // it has the patience for a small one
        await using var remote = await servers.NewRemote();
        var (room, release) = Serve(remote, members: 3);
        var whole = room.WholeState();
        remote.On(HttpMethod.Get, "/_matrix/federation/v1/state/", async (_, context) =>
        {
            // more than are verified at once, though they are the same ones
            var (members, chain) = (whole["pdus"]!.AsArray(), whole["auth_chain"]!.ToJsonString());
            await context.Response.WriteAsync("{\"pdus\":[", context.RequestAborted);
            for (var i = 0; i <= 500; i++)
                await context.Response.WriteAsync(members[i % members.Count]!.ToJsonString() + ",", context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            await release.Task.WaitAsync(context.RequestAborted);
            await context.Response.WriteAsync($"{members[0]!.ToJsonString()}],\"auth_chain\":{chain}}}", context.RequestAborted);
            return null;
        });

        var began = TimeProvider.System.GetTimestamp();
        await Join(bob, room);
        await bob.Say(room.Id, "they are still to come");
        Assert.InRange(TimeProvider.System.GetElapsedTime(began), TimeSpan.Zero, TimeSpan.FromSeconds(20));
        release.SetResult();

        Assert.Equal(5, await CountJoined(bob, room));
    }

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>A room with members, whose server tells of them when it is released.</summary>
    static (RemoteRoom Room, TaskCompletionSource Release) Serve(RemoteServer remote, int members, Action<RemoteRoom>? with = null, params ServerName[] others)
    {
        var room = new RemoteRoom(remote, RoomVersions.V10);
        for (var i = 1; i <= members; i++)
            room.Add("m.room.member", remote.User($"member{i}").ToString(), new { membership = "join", displayname = $"Member {i}" }, remote.User($"member{i}"));
        with?.Invoke(room);
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        room.ServeWithoutMembers(async whole =>
        {
            await release.Task.WaitAsync(TimeSpan.FromMinutes(2));
            return whole;
        }, others);
        return (room, release);
    }

    static async Task Join(User user, RemoteRoom room) =>
        (await user.Post($"/_matrix/client/v3/join/{Abroad.Esc(room.Id)}?via={Abroad.Esc(room.Server.Name.ToString())}")).Ok();

    static async Task<int> CountJoined(User user, RemoteRoom room) =>
        (await user.Get($"/_matrix/client/v3/rooms/{Abroad.Esc(room.Id)}/joined_members")).Ok()["joined"].EnumerateObject().Count();

    /// <summary>The tables say what the state says, and every event stands in a whole state.</summary>
    internal static async Task IsConsistent(MatrixServer home, RemoteRoom remote, string? said)
    {
        var services = home.Services;
        var (tree, events) = (services.GetRequiredService<StateTree>(), services.GetRequiredService<EventStore>());
        var room = (await services.GetRequiredService<RoomStore>().Find(remote.RoomId!.Value, Ct))!;
        var head = (await services.GetRequiredService<RoomStore>().FindHead(room.RoomNid, Ct))!;
        Assert.False(head.IsPartial);
        var members = (await tree.ReadAll(head.StateRoot, Ct)).Where(e => e.Key.Type == "m.room.member").ToList();
        var rows = await services.GetRequiredService<MembershipStore>().ListInRoom(room.RoomNid, ["join", "invite", "ban", "leave", "knock"], Ct);
        Assert.Equal(members.Select(m => (m.Key.StateKey, m.EventNid)).Order(), rows.Select(row => (row.UserId, row.EventNid)).Order());
        var summary = (await services.GetRequiredService<RoomSummaryStore>().Find(room.RoomNid, Ct))!;
        Assert.Equal(rows.Count(row => row.Membership == "join"), summary.JoinedCount);
        var timeline = await events.List(room.RoomNid, long.MaxValue, 0, 100, TimelineDirection.Backwards, Ct);
        // the newest stay
        foreach (var e in timeline.Take(1 + timeline.FindIndex(e => e.EventId == remote.Last.EventId)))
        {
            var known = (await tree.ReadAll(e.StateBefore!.Value, Ct)).Count(entry => entry.Key.Type == "m.room.member");
            Assert.InRange(known, members.Count - 2, members.Count);
        }
        if (said is not null)
            Assert.Equal(head.StateRoot, timeline.Single(e => e.EventId.ToString() == said).RoomState);
    }
}
