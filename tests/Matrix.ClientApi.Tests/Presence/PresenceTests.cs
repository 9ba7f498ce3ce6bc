using Matrix.ClientApi.Sync;
using Matrix.ClientApi.Sync.Presence;
using Matrix.Replication;

namespace Matrix.ClientApi.Tests.Presence;

public sealed class PresenceTests(MatrixServer server)
{
    [Fact]
    public async Task Who_syncs_is_online_for_those_who_share_a_room()
    {
        var (alice, bob, _) = await server.TwoUsersInRoom();
        var eve = await server.NewUser();
        (await bob.Get(Path(alice))).Ok();
        (await eve.Get(Path(alice))).Refused(403, "M_FORBIDDEN");
        (await eve.Get($"/_matrix/client/v3/presence/@nobody:{server.ServerName}/status")).Refused(404, "M_NOT_FOUND");
        var waiting = bob.SyncUntil(sync => Of(sync, alice) is not null, (await Offline(bob)).NextBatch);
        await alice.Sync();
        Assert.Equal(("online", true), (Of(await waiting, alice)!.Value.String("presence"), Of(await waiting, alice)!.Value.At("currently_active").GetBoolean()));
        Assert.Equal("online", (await bob.Get(Path(alice))).Ok().String("presence"));
        Assert.Null(Of(await eve.Sync(), alice));
        Assert.NotNull(Of(await bob.Sync(), alice));
        Assert.Null(Of(await bob.Sync((await waiting).NextBatch), alice));
    }

    [Fact]
    public async Task What_a_user_sets_is_shown_with_the_status_message()
    {
        var (alice, bob, _) = await server.TwoUsersInRoom();
        var since = (await Offline(bob)).NextBatch;
        (await alice.Put(Path(alice), new { presence = "unavailable", status_msg = "at lunch" })).Ok();
        var shown = Of(await bob.SyncUntil(sync => Of(sync, alice) is not null, since), alice)!.Value;
        Assert.Equal(("unavailable", "at lunch"), (shown.String("presence"), shown.String("status_msg")));
        (await alice.Put(Path(alice), new { presence = "asleep" })).Refused(400, "M_INVALID_PARAM");
        (await alice.Put(Path(alice), new { })).Refused(400, "M_MISSING_PARAM");
        (await bob.Put(Path(alice), new { presence = "online" })).Refused(403, "M_FORBIDDEN");
        Assert.Null(Of(await bob.Sync(filter: new { presence = new { not_types = new[] { "m.presence" } } }), alice));
        Assert.Null(Of(await bob.Sync(filter: new { presence = new { not_senders = new[] { alice.UserId } } }), alice));
    }

    [Fact]
    public async Task Who_comes_to_a_room_and_those_in_it_learn_of_each_other()
    {
        var (alice, room) = await server.UserInRoom();
        var bob = await server.NewUser();
        (await alice.Put(Path(alice), new { presence = "online", status_msg = "here" })).Ok();
        (await bob.Put(Path(bob), new { presence = "online", status_msg = "new" })).Ok();
        // each is shown as online to the user alone, and nothing more is to change of it
        var ofAlice = (await alice.SyncUntil(sync => Of(sync, alice)?.Find("status_msg") is not null)).NextBatch;
        var ofBob = (await bob.SyncUntil(sync => Of(sync, bob)?.Find("status_msg") is not null)).NextBatch;
        await alice.Invite(room, bob);
        await bob.Join(room);
        Assert.NotNull(Of(await bob.SyncUntil(sync => Of(sync, alice) is not null, ofBob), alice));
        Assert.NotNull(Of(await alice.SyncUntil(sync => Of(sync, bob) is not null, ofAlice), bob));
    }

    [Fact]
    public async Task Switched_off_nothing_is_shown()
    {
        await using var quiet = await MatrixServer.Start(configuration => configuration["presence:enabled"] = "false");
        var (alice, bob, _) = await quiet.TwoUsersInRoom();
        await alice.Sync();
        (await alice.Put(Path(alice), new { presence = "online" })).Ok();
        Assert.Null((await bob.Sync()).Json.Find("presence"));
        Assert.Equal("offline", (await bob.Get(Path(alice))).Ok().String("presence"));
    }

    [Fact]
    public void A_token_carries_what_the_client_knows()
    {
        var token = new SyncToken(new LogPosition(5), null, new LogPosition(3), new PresenceMark("p1234567a", 8));
        Assert.Equal("s5_p1234567a.8_d3", token.ToString());
        Assert.True(SyncToken.TryParse(token.ToString(), out var read));
        Assert.Equal(token, read);
    }

    static Task<SyncReply> Offline(User user) => Sync(user, "&set_presence=offline");

    static async Task<SyncReply> Sync(User user, string query) => new((await user.Get($"/_matrix/client/v3/sync?timeout=0{query}")).Ok());

    static System.Text.Json.JsonElement? Of(SyncReply sync, User user) => sync.Json.Find("presence.events")?.Items()
        .Where(e => e.String("type") == "m.presence" && e.String("sender") == user.UserId).Select(e => (System.Text.Json.JsonElement?)e.At("content")).SingleOrDefault();

    static string Path(User user) => $"/_matrix/client/v3/presence/{ApiClient.Esc(user.UserId)}/status";
}
