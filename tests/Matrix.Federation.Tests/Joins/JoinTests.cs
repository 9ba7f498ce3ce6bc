using Matrix.Federation.Tests.Harness;
using Matrix.Federation.Tests.Sender;
using Matrix.Protocol;

namespace Matrix.Federation.Tests.Joins;

/// <summary>Joining rooms of another server.</summary>
public sealed class JoinTests(FederatedServers servers)
{
    MatrixServer First => servers.First;

    MatrixServer Second => servers.Second;

    [Theory, InlineData("3"), InlineData("6"), InlineData("9"), InlineData("10"), InlineData("11"), InlineData("12")]
    public async Task A_user_joins_a_room_of_another_server(string version)
    {
        var (alice, bob) = (await First.NewUser(), await Second.NewUser());
        var room = await alice.CreateRoom(new { preset = "public_chat", room_version = version, name = "Open to all" });
        await alice.Say(room, "before");

        await bob.JoinBy(First, room);

        var sync = await bob.Sync();
        var state = sync.State(room).Concat(sync.Timeline(room)).ToList();
        Assert.Equal("join", state.Membership(alice.UserId));
        Assert.Equal("join", state.Membership(bob.UserId));
        Assert.Contains(state, e => e.String("type") == "m.room.name" && e.String("content.name") == "Open to all");
        Assert.Equal(2, sync.Joined(room)!.Value.At("summary").GetProperty("m.joined_member_count").GetInt32());
        Assert.Equal("join", (await alice.GetState(room, "m.room.member", bob.UserId)).String("membership"));
        Assert.Equal("join", (await alice.SyncUntil(s => s.Timeline(room).Membership(bob.UserId) is not null)).Timeline(room).Membership(bob.UserId));
        await bob.Say(room, "I am here");
        Assert.True((await bob.Sync()).HasMessage(room, "I am here"));
    }

    [Fact]
    public async Task Who_was_told_of_a_join_by_the_server_that_took_it_is_not_told_again()
    {
        await using var host = await servers.NewRemote();
        await using var member = await servers.NewRemote();
        var (inbox, bob) = (new RemoteInbox(member), await First.NewUser());
        var room = new RemoteRoom(host, RoomVersions.Find("10")!);
        var carol = member.User("carol");
        room.Take(EventSignatures.AddSignature(room.Build("m.room.member", carol.ToString(), new { membership = "join" }, carol), member.Name, member.Key));
        room.Serve();
        (await bob.Post($"/_matrix/client/v3/join/{Abroad.Esc(room.Id)}?via={host.Name}")).Ok();
        await bob.Say(room.Id, "I am here");

        await inbox.Until(() => inbox.Bodies.Count > 0);
        Assert.Equal("I am here", Assert.Single(inbox.Pdus).String("content.body"));
    }

    [Fact]
    public async Task A_second_user_of_the_server_joins_at_home()
    {
        var (alice, bob, carol) = (await First.NewUser(), await Second.NewUser(), await Second.NewUser());
        var room = await alice.CreatePublicRoom();
        await bob.JoinBy(First, room);

        await carol.Join(room);

        Assert.Equal("join", (await carol.GetState(room, "m.room.member", alice.UserId)).String("membership"));
    }

    [Fact]
    public async Task Joins_of_rooms_that_the_server_is_not_in_have_a_limit_of_their_own()
    {
        await using var server = await servers.Start(configuration =>
            (configuration["rc_joins:remote:per_second"], configuration["rc_joins:remote:burst_count"]) = ("0.01", "1"));
        var (alice, bob, carol) = (await First.NewUser(), await server.NewUser(), await server.NewUser());
        var (one, other) = (await alice.CreatePublicRoom(), await alice.CreatePublicRoom());
        await bob.JoinBy(First, one);

        var refused = (await bob.TryJoin(other, First)).Refused(429, "M_LIMIT_EXCEEDED");

        Assert.InRange(refused["retry_after_ms"].GetInt64(), 1, 100_000);
        (await bob.Post($"/_matrix/client/v3/rooms/{Abroad.Esc(other)}/join")).Refused(404, "M_NOT_FOUND"); // there is nobody to ask: that costs nothing
        await carol.JoinBy(First, other);
        await bob.Join(other); // the server is in it now
    }

    [Fact]
    public async Task Joins_of_rooms_that_the_server_is_in_take_nothing_of_the_limit_for_others()
    {
        await using var server = await servers.Start(configuration =>
            (configuration["rc_joins:local:per_second"], configuration["rc_joins:local:burst_count"]) = ("0.01", "1"));
        var (alice, bob, carol) = (await First.NewUser(), await server.NewUser(), await server.NewUser());
        var (here, there) = (await carol.CreatePublicRoom(), await alice.CreatePublicRoom());
        await bob.Join(here);

        (await bob.TryJoin(await carol.CreatePublicRoom())).Refused(429, "M_LIMIT_EXCEEDED");

        await bob.JoinBy(First, there);
    }

    [Fact]
    public async Task Two_users_who_join_at_once_are_both_in_the_room()
    {
        var (alice, bob, carol) = (await First.NewUser(), await Second.NewUser(), await Second.NewUser());
        var room = await alice.CreatePublicRoom();

        await Task.WhenAll(bob.JoinBy(First, room), carol.JoinBy(First, room));

        Assert.Equal("join", (await carol.GetState(room, "m.room.member", bob.UserId)).String("membership"));
        Assert.Equal("join", (await bob.GetState(room, "m.room.member", carol.UserId)).String("membership"));
    }

    [Fact]
    public async Task A_room_is_joined_by_its_alias()
    {
        var (alice, bob) = (await First.NewUser(), await Second.NewUser());
        var name = $"a{Guid.NewGuid():N}";
        var room = await alice.CreateRoom(new { preset = "public_chat", room_alias_name = name });

        await bob.Join($"#{name}:{First.ServerName}");

        Assert.NotNull((await bob.Sync()).Joined(room));
    }

    [Fact]
    public async Task Servers_that_do_not_answer_or_do_not_know_the_room_are_passed_over()
    {
        var (alice, bob) = (await First.NewUser(), await Second.NewUser());
        await using var ignorant = await servers.NewRemote();
        var room = await alice.CreatePublicRoom();

        (await bob.Post($"/_matrix/client/v3/join/{Abroad.Esc(room)}?via=localhost:1&via={ignorant.Name}&via={First.ServerName}")).Ok();

        Assert.NotNull((await bob.Sync()).Joined(room));
    }

    [Fact]
    public async Task A_server_that_lies_about_a_room_keeps_nobody_out_of_it()
    {
        var (alice, bob) = (await First.NewUser(), await Second.NewUser());
        await using var liar = await servers.NewRemote();
        var room = await alice.CreateRoom(new { preset = "public_chat", room_version = "10" });
        liar.On(HttpMethod.Get, "/_matrix/federation/v1/make_join/", _ => new
        {
            room_version = "3",
            @event = new { type = "m.room.member", room_id = room, sender = bob.UserId, state_key = bob.UserId, content = new { membership = "join" },
                prev_events = Array.Empty<string>(), auth_events = Array.Empty<string>() },
        });
        liar.On(HttpMethod.Put, "/_matrix/federation/v2/send_join/", _ => new { state = Array.Empty<object>(), auth_chain = Array.Empty<object>() });

        (await bob.Post($"/_matrix/client/v3/join/{Abroad.Esc(room)}?via={liar.Name}&via={First.ServerName}")).Ok();

        Assert.Contains(liar.Requests, request => request.Path.Contains("/send_join/", StringComparison.Ordinal));
        await bob.Say(room, "here all the same");
        await alice.SyncUntil(sync => sync.HasMessage(room, "here all the same"));
    }

    [Fact]
    public async Task Who_is_not_invited_does_not_get_in()
    {
        var (alice, bob) = (await First.NewUser(), await Second.NewUser());
        var room = await alice.CreateRoom();

        (await bob.TryJoin(room, First)).Refused(403, "M_FORBIDDEN");

        Assert.Null((await bob.Sync()).Joined(room));
    }

    [Fact]
    public async Task A_room_that_nobody_knows_is_not_found()
    {
        var bob = await Second.NewUser();

        (await bob.TryJoin($"!nowhere:{First.ServerName}", First)).Refused(404, "M_NOT_FOUND");
        (await bob.Post($"/_matrix/client/v3/join/{Abroad.Esc("#nowhere:" + First.ServerName)}")).Refused(404, "M_NOT_FOUND");
    }
}
