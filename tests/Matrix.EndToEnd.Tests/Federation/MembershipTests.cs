using Matrix.Testing.Servers;

namespace Matrix.EndToEnd.Tests.Federation;

/// <summary>Coming and going in rooms of other servers.</summary>
[Collection("end to end")]
public sealed class MembershipTests(FederatedHomes homes)
{
    const string V3 = "/_matrix/client/v3";

    async Task<(User Alice, User Bob, Home Here, Home There)> People(string first, string second)
    {
        var (here, there) = await homes.Get(first, second);
        return (await here.NewUser("alice"), await there.NewUser("bob"), here, there);
    }

    [Theory, MemberData(nameof(FederatedHomes.Pairs), MemberType = typeof(FederatedHomes))]
    public async Task An_invited_user_joins_and_leaves(string first, string second)
    {
        var (alice, bob, _, _) = await People(first, second);
        var room = await alice.RoomWith(bob);
        await bob.Leave(room);
        await alice.SeesMember(room, bob, "leave");
    }

    [Theory, MemberData(nameof(FederatedHomes.Pairs), MemberType = typeof(FederatedHomes))]
    public async Task An_invitation_is_declined(string first, string second)
    {
        var (alice, bob, _, _) = await People(first, second);
        var room = await alice.CreateRoom(new { preset = "private_chat", name = "Secret garden" });
        await alice.Invite(room, bob);
        var invited = await bob.SyncUntil(sync => sync.Invited(room) != null);
        Assert.Contains(invited.Invited(room)!.Value.At("invite_state.events").Items(), state => state.String("type") == "m.room.name");
        await bob.Leave(room);
        await alice.SeesMember(room, bob, "leave");
    }

    [Theory, MemberData(nameof(FederatedHomes.Pairs), MemberType = typeof(FederatedHomes))]
    public async Task A_public_room_is_joined_by_its_alias(string first, string second)
    {
        var (alice, bob, here, _) = await People(first, second);
        var alias = $"garden-{alice.Localpart}";
        var room = await alice.CreateRoom(new { preset = "public_chat", room_alias_name = alias });
        await bob.Join($"#{alias}:{here.Name}");
        await alice.SeesMember(room, bob, "join");
        await alice.Say(room, "welcome");
        await bob.SeesMessage(room, "welcome");
    }

    [Theory, MemberData(nameof(FederatedHomes.Pairs), MemberType = typeof(FederatedHomes))]
    public async Task Who_knocks_is_let_in(string first, string second)
    {
        var (alice, bob, here, _) = await People(first, second);
        var room = await alice.CreateRoom(new
        {
            preset = "private_chat",
            initial_state = new[] { new { type = "m.room.join_rules", state_key = "", content = new { join_rule = "knock" } } },
        });
        Assert.NotEqual(System.Net.HttpStatusCode.OK, (await bob.TryJoinVia(room, here.Name)).Status);
        (await bob.Post($"{V3}/knock/{ApiClient.Esc(room)}?server_name={ApiClient.Esc(here.Name)}&via={ApiClient.Esc(here.Name)}", new { reason = "please" })).Ok();
        await alice.SeesMember(room, bob, "knock");
        await alice.Invite(room, bob);
        await bob.SyncUntil(sync => sync.Invited(room) != null);
        await bob.Join(room);
        await alice.SeesMember(room, bob, "join");
    }

    [Theory, MemberData(nameof(FederatedHomes.Pairs), MemberType = typeof(FederatedHomes))]
    public async Task Members_of_a_space_join_its_restricted_rooms(string first, string second)
    {
        var (alice, bob, here, _) = await People(first, second);
        var space = await alice.CreateRoom(new { preset = "public_chat", creation_content = new { type = "m.space" } });
        var room = await alice.CreateRoom(new
        {
            preset = "private_chat",
            initial_state = new[]
            {
                new
                {
                    type = "m.room.join_rules",
                    state_key = "",
                    content = new { join_rule = "restricted", allow = new[] { new { type = "m.room_membership", room_id = space } } },
                },
            },
        });
        Assert.NotEqual(System.Net.HttpStatusCode.OK, (await bob.TryJoinVia(room, here.Name)).Status);
        await bob.JoinVia(space, here.Name);
        await bob.JoinVia(room, here.Name);
        await alice.SeesMember(room, bob, "join");
        Assert.Equal(alice.UserId, (await alice.GetState(room, "m.room.member", bob.UserId)).String("join_authorised_via_users_server"));
    }

    [Theory, MemberData(nameof(FederatedHomes.Pairs), MemberType = typeof(FederatedHomes))]
    public async Task Who_is_kicked_may_come_back_and_who_is_banned_may_not(string first, string second)
    {
        var (alice, bob, here, _) = await People(first, second);
        var room = await alice.CreatePublicRoom();
        await bob.JoinVia(room, here.Name);
        await alice.SeesMember(room, bob, "join");
        var since = (await bob.Sync()).NextBatch;
        (await alice.Post($"{V3}/rooms/{ApiClient.Esc(room)}/kick", new { user_id = bob.UserId })).Ok();
        await bob.SyncUntil(sync => IsTold(sync, room, bob, "leave"), since);
        await bob.JoinVia(room, here.Name);
        await alice.SeesMember(room, bob, "join");
        since = (await bob.Sync()).NextBatch;
        (await alice.Post($"{V3}/rooms/{ApiClient.Esc(room)}/ban", new { user_id = bob.UserId })).Ok();
        await bob.SyncUntil(sync => IsTold(sync, room, bob, "ban"), since);
        (await bob.TryJoinVia(room, here.Name)).Refused(403, "M_FORBIDDEN");
    }

    static bool IsTold(SyncReply sync, string room, User member, string membership) => sync.Left(room) != null && sync.Timeline(room).Concat(sync.State(room)).Any(e =>
        e.String("type") == "m.room.member" && e.String("state_key") == member.UserId && e.Find("content.membership")?.GetString() == membership);

    [Theory, MemberData(nameof(VersionedPairs))]
    public async Task Rooms_of_every_version_are_joined(string first, string second, string version)
    {
        var (alice, bob, _, _) = await People(first, second);
        var room = await alice.RoomWith(bob, version);
        await alice.Say(room, "hello");
        await bob.SeesMessage(room, "hello");
        await bob.Say(room, "hello yourself");
        await alice.SeesMessage(room, "hello yourself");
    }

    /// <summary>We make rooms of the newest versions alone; another server may have any.</summary>
    public static TheoryData<string, string, string> VersionedPairs
    {
        get
        {
            var data = new TheoryData<string, string, string>();
            foreach (var version in new[] { "10", "11", "12" })
            {
                data.Add(FederatedHomes.Split, FederatedHomes.Whole, version);
                data.Add(FederatedHomes.Split, FederatedHomes.Peer, version);
            }
            for (var version = 1; version <= 12; version++)
                data.Add(FederatedHomes.Peer, FederatedHomes.Split, $"{version}");
            return data;
        }
    }
}
