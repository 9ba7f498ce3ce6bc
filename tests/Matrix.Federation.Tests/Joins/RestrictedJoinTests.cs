using System.Net;
using Matrix.Federation.Tests.Harness;

namespace Matrix.Federation.Tests.Joins;

/// <summary>Rooms that let in the members of other rooms.</summary>
public sealed class RestrictedJoinTests(FederatedServers servers)
{
    MatrixServer First => servers.First;

    MatrixServer Second => servers.Second;

    [Theory, InlineData("8"), InlineData("10"), InlineData("12")]
    public async Task Members_of_the_allowed_room_get_in_and_others_do_not(string version)
    {
        var (alice, bob, carol) = (await First.NewUser(), await Second.NewUser(), await Second.NewUser());
        var (hall, room) = await Rooms(alice, version);
        await bob.JoinBy(First, hall);

        await bob.JoinBy(First, room);

        var member = await bob.GetState(room, "m.room.member", bob.UserId);
        Assert.Equal(alice.UserId, member.String("join_authorised_via_users_server"));
        (await carol.TryJoin(room, First)).Refused(403, "M_FORBIDDEN");
    }

    [Fact]
    public async Task A_server_that_is_in_the_room_and_may_let_nobody_in_asks_another()
    {
        var (alice, bob, carol) = (await First.NewUser(), await Second.NewUser(), await Second.NewUser());
        var (hall, room) = await Rooms(alice, "10");
        await alice.Invite(room, carol);
        await carol.SyncUntil(s => s.Invited(room) is not null);
        await carol.Join(room);
        await bob.JoinBy(First, hall);

        await bob.JoinBy(First, room);

        Assert.Equal("join", (await alice.GetState(room, "m.room.member", bob.UserId)).String("membership"));
        Assert.Equal("join", (await carol.GetState(room, "m.room.member", bob.UserId)).String("membership"));
    }

    [Fact]
    public async Task A_server_that_cannot_tell_says_so_and_the_next_one_is_asked()
    {
        var (alice, bob) = (await First.NewUser(), await Second.NewUser());
        await using var helpless = await servers.NewRemote();
        helpless.On(HttpMethod.Get, "/_matrix/federation/v1/make_join/", _ => RemoteAnswer.Error(HttpStatusCode.BadRequest, "M_UNABLE_TO_AUTHORISE_JOIN"));
        var (hall, room) = await Rooms(alice, "10");
        await bob.JoinBy(First, hall);

        (await bob.Post($"/_matrix/client/v3/join/{Abroad.Esc(room)}?via={helpless.Name}&via={First.ServerName}")).Ok();

        (await bob.Post($"/_matrix/client/v3/join/{Abroad.Esc("!other:" + helpless.Name)}")).Refused(400, "M_UNABLE_TO_AUTHORISE_JOIN");
    }

    [Fact]
    public async Task A_server_that_is_in_none_of_the_allowed_rooms_cannot_authorise()
    {
        var alice = await First.NewUser();
        await using var asking = await servers.NewRemote();
        var room = await alice.CreateRoom(new { room_version = "10" });
        await alice.SetState(room, "m.room.join_rules", Rule($"!elsewhere:{asking.Name}"));

        var reply = await asking.Get(First, $"/_matrix/federation/v1/make_join/{Abroad.Esc(room)}/{Abroad.Esc(asking.User("u").ToString())}?ver=10");

        reply.Refused(400, "M_UNABLE_TO_AUTHORISE_JOIN");
        (await asking.Get(First, $"/_matrix/federation/v1/make_join/{Abroad.Esc(room)}/{Abroad.Esc(asking.User("u").ToString())}?ver=1"))
            .Refused(400, "M_INCOMPATIBLE_ROOM_VERSION");
    }

    static async Task<(string Hall, string Room)> Rooms(User alice, string version)
    {
        var hall = await alice.CreateRoom(new { preset = "public_chat", room_version = version });
        var room = await alice.CreateRoom(new { room_version = version, power_level_content_override = new { invite = 50 } });
        await alice.SetState(room, "m.room.join_rules", Rule(hall));
        return (hall, room);
    }

    static object Rule(string allowed) =>
        new { join_rule = "restricted", allow = new[] { new { type = "m.room_membership", room_id = allowed } } };
}
