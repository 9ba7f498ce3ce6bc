namespace Matrix.ClientApi.Tests.Sync.Sliding;

public sealed class SlidingMembershipTests(MatrixServer server)
{
    static readonly object Body = SlidingRequests.List(state: [["m.room.create", ""], ["m.room.member", "$ME"]]);

    [Fact]
    public async Task An_invite_shows_what_strangers_see_and_a_join_the_room()
    {
        var (alice, room) = await server.UserInRoom();
        await alice.SetState(room, "m.room.name", new { name = "secret" });
        await alice.SetState(room, "m.room.topic", new { topic = "t" });
        var bob = await server.NewUser();
        var pos = (await bob.Slide(Body)).Pos;
        var waiting = bob.SlideUntil(Body, s => s.Room(room) is not null, pos);
        await alice.Invite(room, bob);
        var invite = await waiting;
        Assert.Equal("invite", invite[room].String("membership"));
        Assert.Contains(invite[room].At("invite_state").Items(), e => e.String("type") == "m.room.name");
        Assert.Contains(invite[room].At("invite_state").Items(), e => e.Find("state_key")?.GetString() == bob.UserId);
        Assert.False(invite[room].TryGetProperty("timeline", out _));
        Assert.False(invite[room].TryGetProperty("joined_count", out _));
        Assert.True((await bob.Slide(Body, invite.Pos)).IsEmpty);
        // what happens in the room is not the invited one's business
        await alice.Say(room, "before");
        waiting = bob.SlideUntil(Body, s => s.Room(room)?.Find("membership")?.GetString() == "join", invite.Pos);
        await bob.Join(room);
        var joined = await waiting;
        Assert.True(joined[room].GetProperty("initial").GetBoolean());
        Assert.Equal("secret", joined[room].String("name"));
        Assert.Contains("m.room.create", joined.StateKeys(room));
        Assert.Contains(joined.Timeline(room), e => e.Find("content.membership")?.GetString() == "join" && e.String("sender") == bob.UserId);
    }

    [Fact]
    public async Task Who_leaves_is_told_once_and_gets_the_room_whole_when_back()
    {
        var alice = await server.NewUser();
        var room = await alice.CreatePublicRoom();
        var bob = await server.NewUser();
        await bob.Join(room);
        var pos = (await bob.SlideUntil(Body, s => s.Room(room) is not null)).Pos;
        await bob.Leave(room);
        var left = await bob.SlideUntil(Body, s => s.Room(room) is not null, pos);
        Assert.Equal("leave", left[room].String("membership"));
        Assert.Equal("leave", left.Timeline(room)[^1].String("content.membership"));
        Assert.Contains(left.State(room), e => e.String("state_key") == bob.UserId && e.String("content.membership") == "leave");
        await alice.Say(room, "not for bob");
        Assert.True((await bob.Slide(Body, left.Pos)).IsEmpty);
        Assert.Empty((await bob.Slide(SlidingRequests.List(connId: "fresh"))).Rooms);
        await bob.Join(room);
        var back = await bob.SlideUntil(Body, s => s.Room(room) is not null, left.Pos);
        Assert.True(back[room].GetProperty("initial").GetBoolean());
        Assert.Equal("join", back[room].String("membership"));
    }

    [Fact]
    public async Task Who_was_put_out_of_a_room_finds_it_in_the_list()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        await alice.Say(room, "seen");
        await bob.SlideUntil(Body, s => s.HasMessage(room, "seen"));
        (await alice.Post($"/_matrix/client/v3/rooms/{ApiClient.Esc(room)}/kick", new { user_id = bob.UserId })).Ok();
        await alice.Say(room, "unseen");
        await bob.SyncUntil(s => s.Joined(room) is null);
        var reply = await bob.Slide(Body);
        Assert.Equal([room], reply.Rooms);
        Assert.Equal("leave", reply[room].String("membership"));
        Assert.Equal(["seen"], reply.Bodies(room));
        Assert.True((await bob.Slide(Body, reply.Pos)).IsEmpty);
    }

    [Fact]
    public async Task An_invite_turned_down_or_taken_back_ends()
    {
        var (alice, room) = await server.UserInRoom();
        var bob = await server.NewUser();
        await alice.Invite(room, bob);
        var invite = await bob.SlideUntil(Body, s => s.Room(room) is not null);
        await bob.Leave(room);
        var declined = await bob.SlideUntil(Body, s => s.Room(room) is not null, invite.Pos);
        Assert.Equal("leave", declined[room].String("membership"));
        Assert.Single(declined.Timeline(room));
        Assert.DoesNotContain("m.room.create", declined.StateKeys(room));
        await alice.Invite(room, bob);
        Assert.Equal("invite", (await bob.SlideUntil(Body, s => s.Room(room) is not null, declined.Pos))[room].String("membership"));
        (await alice.Post($"/_matrix/client/v3/rooms/{ApiClient.Esc(room)}/kick", new { user_id = bob.UserId })).Ok();
        await bob.SlideUntil(Body, s => s.Rooms.Count == 0);
    }

    [Fact]
    public async Task What_was_before_the_join_stays_hidden_when_the_room_hides_it()
    {
        var alice = await server.NewUser();
        var room = await alice.CreatePublicRoom();
        await alice.SetState(room, "m.room.history_visibility", new { history_visibility = "joined" });
        await alice.Say(room, "hidden");
        var bob = await server.NewUser();
        await bob.Join(room);
        await alice.Say(room, "shown");
        var reply = await bob.SlideUntil(SlidingRequests.List(limit: 50), s => s.HasMessage(room, "shown"));
        Assert.Equal(["shown"], reply.Bodies(room));
        // nor does an older pos open it, not even one that was made up
        var forged = "s1" + reply.Pos[reply.Pos.IndexOf('_', StringComparison.Ordinal)..];
        Assert.Equal(["shown"], (await bob.Slide(SlidingRequests.List(limit: 50), forged)).Bodies(room));
        var more = SlidingRequests.List(limit: 1, subscriptions: SlidingRequests.Subscribe(room, 60));
        Assert.DoesNotContain("hidden", (await bob.Slide(more, reply.Pos)).Bodies(room));
    }

    [Fact]
    public async Task A_knock_shows_what_strangers_see()
    {
        var alice = await server.NewUser();
        var room = await alice.CreateRoom(new
        {
            initial_state = new[] { new { type = "m.room.join_rules", state_key = "", content = new { join_rule = "knock" } } },
        });
        var bob = await server.NewUser();
        (await bob.Post($"/_matrix/client/v3/knock/{ApiClient.Esc(room)}")).Ok();
        var reply = await bob.SlideUntil(Body, s => s.Room(room) is not null);
        Assert.Equal("knock", reply[room].String("membership"));
        Assert.NotEmpty(reply[room].At("invite_state").Items());
    }
}
