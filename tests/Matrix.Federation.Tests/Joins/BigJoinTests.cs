using System.Diagnostics;
using System.Globalization;
using System.Text;
using Matrix.Federation.Tests.Harness;
using Matrix.Protocol;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Matrix.Federation.Tests.Joins;

/// <summary>Joining rooms of other servers that are big, or not what they should be.</summary>
public sealed class BigJoinTests(FederatedServers servers)
{
    /// <summary>MATRIX_TEST_BIG_JOIN=5000 for the figures.</summary>
    static readonly int Members = int.Parse(Environment.GetEnvironmentVariable("MATRIX_TEST_BIG_JOIN") ?? "1500", CultureInfo.InvariantCulture);

    [Fact]
    public async Task A_big_room_is_joined_whole()
    {
        var bob = await servers.Second.NewUser();
        await using var remote = await servers.NewRemote();
        var room = new RemoteRoom(remote, RoomVersions.V10);
        for (var i = 0; i < Members; i++)
            room.Add("m.room.member", remote.User($"member{i}").ToString(), new { membership = "join", displayname = $"Member {i}" }, remote.User($"member{i}"));
        room.ServeWhole();
        var db = servers.Second.Services.GetRequiredService<NpgsqlDataSource>();

        var clock = Stopwatch.StartNew();
        (await bob.Post($"/_matrix/client/v3/join/{Abroad.Esc(room.Id)}")).Ok();
        var joined = clock.Elapsed;
        await bob.Say(room.Id, "first");
        var said = clock.Elapsed;

        TestContext.Current.TestOutputHelper?.WriteLine($"{Members} members: joined after {joined.TotalSeconds:F1} s, first message after {said.TotalSeconds:F1} s");
        var members = (await bob.Get($"/_matrix/client/v3/rooms/{Abroad.Esc(room.Id)}/joined_members")).Ok()["joined"];
        Assert.Equal(Members + 2, members.EnumerateObject().Count());
        var sync = await bob.Sync(filter: new { room = new { state = new { lazy_load_members = true } } });
        Assert.Equal(Members + 2, sync.Joined(room.Id)!.Value.At("summary").GetProperty("m.joined_member_count").GetInt32());
        await using var count = db.CreateCommand("SELECT joined FROM room_servers s JOIN rooms r USING (room_nid) WHERE r.room_id = $1");
        count.Parameters.Add(new NpgsqlParameter { Value = room.Id });
        Assert.Equal(Members + 1, Assert.IsType<int>(await count.ExecuteScalarAsync(TestContext.Current.CancellationToken)));
    }

    [Fact]
    public async Task A_room_whose_members_do_not_fit_into_memory_is_joined()
    {
        await using var server = await servers.Start(configuration => configuration["caches:per_cache_factors:state_events"] = "0.001");
        var bob = await server.NewUser();
        await using var remote = await servers.NewRemote();
        var room = new RemoteRoom(remote, RoomVersions.V10);
        for (var i = 0; i < 200; i++)
        {
            room.Add("m.room.member", remote.User($"member{i}").ToString(), new { membership = "join" }, remote.User($"member{i}"));
            // whoever comes later cites other levels: those of before are in the auth chains alone
            if (i % 50 == 0)
                room.Add("m.room.power_levels", "", new { users = new Dictionary<string, int> { [room.Creator.ToString()] = 100, [remote.User($"member{i}").ToString()] = 1 } });
        }
        // each comes before what it cites, and the state before the chains
        room.Serve(answer =>
        {
            foreach (var list in (string[])["state", "auth_chain"])
            {
                var events = answer[list]!.AsArray().Reverse().Select(e => e!.DeepClone()).ToArray();
                answer.Remove(list);
                answer[list] = new System.Text.Json.Nodes.JsonArray(events);
            }
        });
        (await bob.Post($"/_matrix/client/v3/join/{Abroad.Esc(room.Id)}")).Ok();
        await bob.Say(room.Id, "first");
        Assert.Equal(202, (await bob.Get($"/_matrix/client/v3/rooms/{Abroad.Esc(room.Id)}/joined_members")).Ok()["joined"].EnumerateObject().Count());
    }

    [Theory, InlineData("1"), InlineData("2"), InlineData("3"), InlineData("12")]
    public async Task A_room_of_any_version_is_joined(string version)
    {
        var bob = await servers.Second.NewUser();
        await using var remote = await servers.NewRemote();
        var room = new RemoteRoom(remote, RoomVersions.Find(version)!);
        room.Serve();

        (await bob.Post($"/_matrix/client/v3/join/{Abroad.Esc(room.Id)}?via={remote.Name}")).Ok();

        await bob.Say(room.Id, "here");
        Assert.Equal("join", (await bob.GetState(room.Id, "m.room.member", room.Creator.ToString())).String("membership"));
    }

    [Fact]
    public async Task What_is_forged_or_not_allowed_is_no_part_of_the_room()
    {
        var bob = await servers.Second.NewUser();
        await using var remote = await servers.NewRemote();
        var room = new RemoteRoom(remote, RoomVersions.V10);
        room.Add("m.room.name", "", new { name = "Honest" });
        var (stranger, mallory) = (remote.User("stranger"), UserId.Parse($"@mallory:{servers.First.ServerName}"));
        var uninvited = room.Build("m.room.topic", "", new { topic = "By who is not in the room" }, stranger);
        var forged = room.Build("m.room.member", mallory.ToString(), new { membership = "join" }, mallory);
        room.Serve(answer =>
        {
            foreach (var bad in new[] { uninvited, forged })
                answer["state"]!.AsArray().Add(System.Text.Json.Nodes.JsonNode.Parse(bad.Json.Span));
            answer["state"]!.AsArray().Add(new System.Text.Json.Nodes.JsonObject { ["type"] = "no event" });
        });

        (await bob.Post($"/_matrix/client/v3/join/{Abroad.Esc(room.Id)}")).Ok();

        var state = (await bob.Get($"/_matrix/client/v3/rooms/{Abroad.Esc(room.Id)}/state")).Ok().Json.Items();
        Assert.DoesNotContain(state, e => e.String("type") == "m.room.topic" || e.String("state_key") == mallory.ToString());
        Assert.Contains(state, e => e.String("type") == "m.room.name");
    }

    [Fact]
    public async Task An_answer_that_is_none_or_lets_nobody_in_is_refused()
    {
        var bob = await servers.Second.NewUser();
        foreach (var (answer, status) in new (object Answer, int Status)[]
        {
            (Encoding.UTF8.GetBytes("{\"state\":[{\"type\":"), 502), (Encoding.UTF8.GetBytes("[]"), 403), (Encoding.UTF8.GetBytes("{\"state\":[1]}"), 502),
            (new { state = Array.Empty<object>(), auth_chain = Array.Empty<object>() }, 403),
        })
        {
            await using var remote = await servers.NewRemote();
            var room = new RemoteRoom(remote, RoomVersions.V11);
            room.Serve();
            remote.On(HttpMethod.Put, "/_matrix/federation/v2/send_join/", _ => answer);

            var reply = await bob.Post($"/_matrix/client/v3/join/{Abroad.Esc(room.Id)}");

            Assert.Equal(status, (int)reply.Status);
            Assert.Null((await bob.Sync()).Joined(room.Id));
        }
    }

    [Fact]
    public async Task A_room_that_was_left_is_joined_as_it_is_now()
    {
        var bob = await servers.Second.NewUser();
        await using var remote = await servers.NewRemote();
        var room = new RemoteRoom(remote, RoomVersions.V11);
        room.Add("m.room.name", "", new { name = "Before" });
        var guest = room.Add("m.room.member", remote.User("guest").ToString(), new { membership = "join" }, remote.User("guest"));
        room.Serve();
        (await bob.Post($"/_matrix/client/v3/join/{Abroad.Esc(room.Id)}")).Ok();
        await bob.Leave(room.Id);
        room.Add("m.room.name", "", new { name = "After" });
        room.Add("m.room.member", guest.StateKey, new { membership = "leave" }, remote.User("guest"));

        (await bob.Post($"/_matrix/client/v3/join/{Abroad.Esc(room.Id)}")).Ok();

        Assert.Equal("After", (await bob.GetState(room.Id, "m.room.name")).String("name"));
        var sync = await bob.Sync();
        Assert.Equal(2, sync.Joined(room.Id)!.Value.At("summary").GetProperty("m.joined_member_count").GetInt32());
        Assert.Equal(2, (await bob.Get($"/_matrix/client/v3/rooms/{Abroad.Esc(room.Id)}/joined_members")).Ok()["joined"].EnumerateObject().Count());
    }
}
