using System.Text.Json;
using Matrix.Federation.Tests.Harness;
using Matrix.Protocol;

namespace Matrix.Federation.Tests.Joins;

/// <summary>Knocking at rooms of another server.</summary>
public sealed class KnockTests(FederatedServers servers)
{
    [Theory, InlineData("7"), InlineData("10"), InlineData("12")]
    public async Task Who_knocks_sees_what_the_room_is_and_is_let_in(string version)
    {
        var (alice, bob) = (await servers.First.NewUser(), await servers.Second.NewUser());
        var room = await alice.CreateRoom(new { name = "Behind the door", room_version = version });
        await alice.SetState(room, "m.room.join_rules", new { join_rule = "knock" });

        (await bob.Post($"/_matrix/client/v3/knock/{Abroad.Esc(room)}?via={servers.First.ServerName}", new { reason = "please" })).Ok();

        var sync = await bob.SyncUntil(s => s.Json.Find("rooms.knock")?.Find(room) is not null);
        Assert.Equal("Behind the door", sync.Json.At("rooms.knock").At(room).Shown("knock_state").Name());
        var member = await alice.GetState(room, "m.room.member", bob.UserId);
        Assert.Equal(("knock", "please"), (member.String("membership"), member.String("reason")));
        await alice.Invite(room, bob);
        await bob.SyncUntil(s => s.Invited(room) is not null, sync.NextBatch);
        await bob.Join(room);
        Assert.NotNull((await bob.Sync()).Joined(room));
    }

    [Theory, InlineData("10"), InlineData("12")]
    public async Task Who_knocks_is_shown_whole_events_with_the_one_that_made_the_room(string version)
    {
        var alice = await servers.First.NewUser();
        await using var remote = await servers.NewRemote();
        var room = await alice.CreateRoom(new { name = "Behind the door", room_version = version });
        await alice.SetState(room, "m.room.join_rules", new { join_rule = "knock" });
        var knock = await Abroad.MakeMembership(remote, servers.First, room, remote.User("u"), "knock");

        var shown = (await remote.Put(servers.First, $"/_matrix/federation/v1/send_knock/{Abroad.Esc(room)}/{Abroad.Esc(knock.EventId.ToString())}",
            JsonElement.Parse(knock.Json.Span))).Ok()["knock_room_state"].Items();

        var pdus = shown.Select(e => Pdu.Parse(JsonSerializer.SerializeToUtf8Bytes(e), RoomVersions.Find(version)!)).ToList();
        Assert.Superset(new HashSet<string> { "m.room.create", "m.room.name", "m.room.join_rules" }, pdus.Select(pdu => pdu.Type).ToHashSet());
        Assert.All(pdus, pdu => Assert.Equal((room, true), (pdu.RoomId.ToString(), pdu.HasValidContentHash)));
    }

    [Fact]
    public async Task A_knock_is_taken_back()
    {
        var (alice, bob) = (await servers.First.NewUser(), await servers.Second.NewUser());
        var room = await alice.CreateRoom();
        await alice.SetState(room, "m.room.join_rules", new { join_rule = "knock" });
        (await bob.Post($"/_matrix/client/v3/knock/{Abroad.Esc(room)}?via={servers.First.ServerName}")).Ok();

        await bob.Leave(room);

        Assert.Equal("leave", (await alice.GetState(room, "m.room.member", bob.UserId)).String("membership"));
        Assert.Null((await bob.Sync()).Json.Find("rooms.knock"));
    }

    [Fact]
    public async Task A_room_that_takes_no_knocks_refuses()
    {
        var (alice, bob) = (await servers.First.NewUser(), await servers.Second.NewUser());
        var room = await alice.CreateRoom();

        (await bob.Post($"/_matrix/client/v3/knock/{Abroad.Esc(room)}?via={servers.First.ServerName}")).Refused(403, "M_FORBIDDEN");
    }

    [Fact]
    public async Task Who_is_banned_does_not_knock()
    {
        var (alice, bob) = (await servers.First.NewUser(), await servers.Second.NewUser());
        var room = await alice.CreateRoom();
        await alice.SetState(room, "m.room.join_rules", new { join_rule = "knock" });
        (await alice.Post($"/_matrix/client/v3/rooms/{Abroad.Esc(room)}/ban", new { user_id = bob.UserId })).Ok();

        (await bob.Post($"/_matrix/client/v3/knock/{Abroad.Esc(room)}?via={servers.First.ServerName}")).Refused(403, "M_FORBIDDEN");

        Assert.Equal("ban", (await alice.GetState(room, "m.room.member", bob.UserId)).String("membership"));
    }
}
