namespace Matrix.ClientApi.Tests.History;

/// <summary>What is kept from one reader and not from another: events by those whom one ignores, and by those who were erased.</summary>
public sealed class ReaderTests(MatrixServer server)
{
    [Fact]
    public async Task Who_ignores_somebody_gets_the_state_they_set_and_nothing_else_of_them()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        await bob.Ignore(alice);
        var hidden = await alice.Say(room, "hidden");
        await alice.SetState(room, "m.room.topic", new { topic = "shown" });
        await bob.Say(room, "seen");
        var sync = await bob.SyncUntil(s => s.HasMessage(room, "seen"), filter: new { room = new { timeline = new { limit = 50 } } });
        Assert.DoesNotContain("hidden", sync.Bodies(room));
        Assert.Contains(sync.Timeline(room), e => e.String("type") == "m.room.topic");
        var page = (await bob.Messages(room, limit: 50))["chunk"].Items();
        Assert.Equal(["seen"], page.Bodies());
        Assert.Contains(page, e => e.String("type") == "m.room.topic");
        (await bob.Get($"/_matrix/client/v3/rooms/{ApiClient.Esc(room)}/event/{ApiClient.Esc(hidden.EventId)}")).Refused(404, "M_NOT_FOUND");

        await bob.Ignore();
        Assert.Contains("hidden", (await bob.Messages(room, limit: 50))["chunk"].Items().Bodies());
    }

    [Fact]
    public async Task An_invite_by_somebody_ignored_does_not_reach_the_client()
    {
        var (alice, bob, common) = await server.TwoUsersInRoom();
        var carol = await server.NewUser();
        var since = (await bob.Sync()).NextBatch;
        await bob.Ignore(alice);
        var ignored = await alice.CreateRoom();
        await alice.Invite(ignored, bob);
        var welcome = await carol.CreateRoom();
        await carol.Invite(welcome, bob);
        var sync = await bob.SyncUntil(s => s.Invited(welcome) is not null, since);
        Assert.Null(sync.Invited(ignored));
        Assert.Null((await bob.Sync()).Invited(ignored));
        Assert.NotNull((await bob.Sync()).Joined(common));
    }

    [Fact]
    public async Task Of_an_erased_user_newcomers_see_what_a_redaction_leaves()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        await bob.Say(room, "remember me");
        var identifier = new { type = "m.id.user", user = bob.UserId };
        (await bob.Post("/_matrix/client/v3/account/deactivate", new { erase = true, auth = new { type = "m.login.password", identifier, password = bob.Password } })).Ok();
        Assert.Contains("remember me", (await alice.Messages(room, limit: 50))["chunk"].Items().Bodies());
        var carol = await server.NewUser();
        await alice.Invite(room, carol);
        await carol.Join(room);
        var seen = (await carol.Messages(room, limit: 50))["chunk"].Items();
        var erased = seen.Single(e => e.String("type") == "m.room.message");
        Assert.Equal("{}", erased.At("content").GetRawText());
        Assert.Equal(bob.UserId, erased.String("sender"));
        var sync = await carol.Sync(filter: new { room = new { timeline = new { limit = 50 } } });
        Assert.DoesNotContain("remember me", sync.Bodies(room));
    }
}
