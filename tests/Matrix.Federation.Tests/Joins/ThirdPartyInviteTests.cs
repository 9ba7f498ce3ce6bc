using System.Text.Json;
using System.Text.Json.Nodes;
using Matrix.Federation.Tests.Harness;
using Matrix.Federation.Tests.Inbound;
using Matrix.Protocol;

namespace Matrix.Federation.Tests.Joins;

/// <summary>Invites that come by other ways than most: by an identity server, which found whose address was invited, and by the first version of the endpoint.</summary>
public sealed class ThirdPartyInviteTests(FederatedServers servers)
{
    readonly SigningKey identityServer = SigningKey.Generate("0");

    [Fact]
    public async Task An_invited_address_that_turns_out_to_be_a_user_of_another_server_becomes_an_invite()
    {
        var (alice, bob) = (await servers.First.NewUser(), await servers.Second.NewUser());
        await using var remote = await servers.NewRemote();
        var room = await Offer(alice);
        var since = (await bob.Sync()).NextBatch;

        // whom an address belongs to is the identity server's word, and nobody else's
        (await OnBind(remote, bob, room, alice, Signed(bob, SigningKey.Generate("0")))).Ok();
        Assert.Null((await bob.Sync(since)).Invited(room));
        (await OnBind(remote, bob, room, alice, Signed(bob, identityServer))).Ok();
        await bob.SyncUntil(sync => sync.Invited(room) is not null, since);
        await bob.Join(room);
        Assert.Equal("join", (await alice.GetState(room, EventTypes.Member, bob.UserId)).String("membership"));
    }

    [Fact]
    public async Task A_binding_makes_this_server_ask_others_only_of_users_that_it_has_and_for_what_was_signed_for_them()
    {
        var (bob, carol) = (await servers.Second.NewUser(), await servers.Second.NewUser());
        await using var remote = await servers.NewRemote();
        remote.On(HttpMethod.Put, "/_matrix/federation/v1/exchange_third_party_invite/", _ => new { });
        (await Bind($"@nobody:{servers.Second.ServerName}", Signed(bob, identityServer))).Refused(400, "M_INVALID_PARAM");
        (await Bind(bob.UserId, Signed(carol, identityServer))).Ok();
        Assert.Empty(remote.Requests);
        (await Bind(bob.UserId, Signed(bob, identityServer))).Ok();
        await remote.Asked(request => request.Path.StartsWith("/_matrix/federation/v1/exchange_third_party_invite/", StringComparison.Ordinal));

        Task<Reply> Bind(string mxid, JsonNode signed) => remote.Send(servers.Second.BaseUrl, HttpMethod.Put, "/_matrix/federation/v1/3pid/onbind",
            JsonSerializer.SerializeToUtf8Bytes(new { mxid, invites = new[] { new { mxid, room_id = $"!r:{remote.Name}", sender = remote.User("eve").ToString(), signed } } }), null);
    }

    [Fact]
    public async Task Only_invites_that_a_user_of_this_server_has_promised_are_exchanged()
    {
        var (alice, bob) = (await servers.First.NewUser(), await servers.First.NewUser());
        await using var remote = await servers.NewRemote();
        var room = await Offer(alice);
        JsonObject Invite(string sender, SigningKey key, string membership = "invite") => new()
        {
            ["type"] = EventTypes.Member, ["room_id"] = room, ["sender"] = sender, ["state_key"] = bob.UserId,
            ["content"] = new JsonObject { ["membership"] = membership, ["third_party_invite"] = new JsonObject { ["display_name"] = "Bob", ["signed"] = Signed(bob, key) } },
        };
        (await Exchange(Invite(remote.User("eve").ToString(), identityServer))).Refused(400, "M_INVALID_PARAM");
        (await Exchange(Invite(alice.UserId, identityServer, "join"))).Refused(400, "M_INVALID_PARAM");
        (await Exchange(Invite(alice.UserId, SigningKey.Generate("0")))).Refused(403, "M_FORBIDDEN");
        (await Exchange(Invite(bob.UserId, identityServer))).Refused(403, "M_FORBIDDEN");
        Assert.Null((await bob.Sync()).Invited(room));
        (await Exchange(Invite(alice.UserId, identityServer))).Ok();
        Assert.NotNull((await bob.Sync()).Invited(room));

        Task<Reply> Exchange(JsonObject invite) => remote.Put(servers.First, $"/_matrix/federation/v1/exchange_third_party_invite/{Abroad.Esc(room)}", invite);
    }

    [Fact]
    public async Task Invites_to_rooms_of_the_first_versions_come_and_go_by_the_first_version_of_the_endpoint()
    {
        var alice = await servers.First.NewUser();
        await using var remote = await servers.NewRemote();
        var rules = RoomVersions.Find("1")!;
        var elsewhere = RoomId.Create($"r{Guid.NewGuid():N}", remote.Name);
        var invite = remote.Build(rules, new PduBuilder
        {
            EventId = EventId.Create($"i{Guid.NewGuid():N}", remote.Name), Type = EventTypes.Member, StateKey = alice.UserId, Sender = remote.User("eve"), RoomId = elsewhere,
            Content = """{"membership":"invite"}"""u8.ToArray(), PrevEvents = [EventId.Create("before", remote.Name)], Depth = 9, OriginServerTs = 1,
        });
        var body = JsonNode.Parse(invite.Json.Span)!.AsObject();
        body["event_id"] = invite.EventId.ToString();
        body["unsigned"] = new JsonObject
        {
            ["invite_room_state"] = new JsonArray(new JsonObject { ["type"] = "m.room.name", ["state_key"] = "", ["sender"] = "@eve:x", ["content"] = new JsonObject { ["name"] = "Old" } }),
        };
        var answer = (await remote.Put(servers.First, $"/_matrix/federation/v1/invite/{Abroad.Esc(elsewhere.ToString())}/{Abroad.Esc(invite.EventId.ToString())}", body)).Ok().Json;
        Assert.Equal(200, answer[0].GetInt32());
        Assert.True(answer[1].At("event").GetProperty("signatures").TryGetProperty(servers.First.ServerName, out _));
        Assert.Equal("Old", (await alice.SyncUntil(sync => sync.Invited(elsewhere.ToString()) is not null)).Invited(elsewhere.ToString())!.Value.Shown("invite_state").Name());

        // and the other way: to a server that knows no second version
        await using var old = await servers.NewRemote();
        old.On(HttpMethod.Put, "/_matrix/federation/v1/invite/", request =>
            new object[] { 200, new { @event = JsonElement.Parse(EventSignatures.AddSignature(Pdu.Parse(request.Body, rules), old.Name, old.Key).Json.Span) } });
        var room = (await RemoteHistory.Make(servers.First, remote, alice, 0, version: "1")).Room.ToString();
        (await alice.TryInvite(room, old.User("bob").ToString())).Ok();
        Assert.Equal("invite", (await alice.GetState(room, EventTypes.Member, old.User("bob").ToString())).String("membership"));
    }

    /// <summary>A room to which somebody's address is invited.</summary>
    async Task<string> Offer(User alice)
    {
        var room = await alice.CreateRoom(new { preset = "private_chat" });
        var key = identityServer.VerifyKey.ToString();
        await alice.SetState(room, EventTypes.ThirdPartyInvite, new
        {
            display_name = "b...@e...", key_validity_url = "https://id.example/valid", public_key = key, public_keys = new[] { new { public_key = key } },
        }, "token");
        return room;
    }

    static JsonNode Signed(User user, SigningKey key) =>
        JsonNode.Parse(JsonSignatures.Sign(JsonSerializer.SerializeToUtf8Bytes(new { mxid = user.UserId, token = "token" }), "id.example", key))!;

    Task<Reply> OnBind(RemoteServer by, User user, string room, User sender, JsonNode signed) =>
        by.Send(servers.Second.BaseUrl, HttpMethod.Put, "/_matrix/federation/v1/3pid/onbind", JsonSerializer.SerializeToUtf8Bytes(new
        {
            medium = "email", address = "bob@example.org", mxid = user.UserId,
            invites = new[] { new { medium = "email", address = "bob@example.org", mxid = user.UserId, room_id = room, sender = sender.UserId, signed } },
        }), null);
}
