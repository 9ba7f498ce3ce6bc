using System.Text.Json;
using System.Text.Json.Nodes;
using Matrix.Federation.Tests.Harness;
using Matrix.Protocol;

namespace Matrix.Federation.Tests.Joins;

/// <summary>What this server answers to another one whose users come and go.</summary>
public sealed class HandshakeTests(FederatedServers servers)
{
    MatrixServer First => servers.First;

    [Fact]
    public async Task A_server_that_asks_for_it_is_told_of_the_room_without_its_members()
    {
        var (alice, bob) = (await First.NewUser(), await First.NewUser());
        await using var remote = await servers.NewRemote();
        var room = await alice.CreateRoom(new { preset = "public_chat", name = "Named", room_version = "11" });
        await bob.Join(room);
        var join = await Build(remote, room, remote.User("u"), "join");

        var answer = (await remote.Put(First, Path("v2/send_join", room, join) + "?omit_members=true", Json(join))).Ok();

        Assert.True(answer["members_omitted"].GetBoolean());
        Assert.Equal([First.ServerName], answer["servers_in_room"].Items().Select(server => server.GetString()));
        Assert.DoesNotContain(answer["state"].Items(), e => e.String("type") == "m.room.member");
        Assert.Contains(answer["state"].Items(), e => e.String("type") == "m.room.name");
        Assert.Contains(answer["auth_chain"].Items(), e => e.String("type") == "m.room.member" && e.String("state_key") == alice.UserId);
        Assert.Equal("join", (await alice.GetState(room, "m.room.member", join.StateKey!)).String("membership"));
    }

    [Fact]
    public async Task The_others_in_the_room_are_told_of_who_came_and_went()
    {
        var (alice, carol) = (await First.NewUser(), await servers.Second.NewUser());
        await using var remote = await servers.NewRemote();
        var room = await alice.CreateRoom(new { preset = "public_chat", room_version = "10" });
        await carol.JoinBy(First, room);
        var since = (await carol.Sync()).NextBatch;

        var join = await Build(remote, room, remote.User("u"), "join");
        (await remote.Put(First, Path("v1/send_join", room, join), Json(join))).Ok();
        var leave = await Build(remote, room, remote.User("u"), "leave");
        (await remote.Put(First, Path("v2/send_leave", room, leave), Json(leave))).Ok();

        await carol.SyncUntil(sync => sync.Timeline(room).Membership(remote.User("u").ToString()) == "leave", since);
    }

    [Fact]
    public async Task What_is_no_join_of_a_user_of_the_server_is_refused()
    {
        var alice = await First.NewUser();
        await using var remote = await servers.NewRemote();
        await using var other = await servers.NewRemote();
        var room = await alice.CreateRoom(new { preset = "public_chat", room_version = "10" });
        var join = await Build(remote, room, remote.User("u"), "join");
        var leave = await Build(remote, room, remote.User("u"), "join", content: new { membership = "leave" });
        var unsigned = JsonNode.Parse(join.Json.Span)!.AsObject();
        unsigned["signatures"] = new JsonObject();

        (await remote.Put(First, $"/_matrix/federation/v2/send_join/{Abroad.Esc(room)}/$wrong", Json(join))).Refused(400, "M_INVALID_PARAM");
        (await remote.Put(First, Path("v2/send_join", room, leave), Json(leave))).Refused(400, "M_INVALID_PARAM");
        (await remote.Put(First, Path("v2/send_join", room, join), unsigned)).Refused(400, "M_INVALID_PARAM");
        (await other.Put(First, Path("v2/send_join", room, join), Json(join))).Refused(400, "M_INVALID_PARAM");
        (await other.Get(First, $"/_matrix/federation/v1/make_join/{Abroad.Esc(room)}/{Abroad.Esc(join.StateKey!)}?ver=10")).Refused(403, "M_FORBIDDEN");
        Assert.Single((await alice.Get($"/_matrix/client/v3/rooms/{Abroad.Esc(room)}/joined_members")).Ok()["joined"].EnumerateObject().ToList());
    }

    Task<Pdu> Build(RemoteServer remote, string room, UserId user, string membership, object? content = null) => Abroad.MakeMembership(remote, First, room, user, membership, content);

    static string Path(string endpoint, string room, Pdu pdu) => $"/_matrix/federation/{endpoint}/{Abroad.Esc(room)}/{Abroad.Esc(pdu.EventId.ToString())}";

    static JsonElement Json(Pdu pdu) => JsonElement.Parse(pdu.Json.Span);
}
