using System.Text.Json;
using Matrix.Testing;
using Matrix.Testing.Servers;

namespace Matrix.EndToEnd.Tests.Federation;

/// <summary>What people of different servers see of each other in a room.</summary>
[Collection("end to end")]
public sealed class ConversationTests(FederatedHomes homes)
{
    const string V3 = "/_matrix/client/v3";

    async Task<(User Alice, User Bob)> People(string first, string second)
    {
        var (here, there) = await homes.Get(first, second);
        return (await here.NewUser("alice"), await there.NewUser("bob"));
    }

    static string Esc(string text) => ApiClient.Esc(text);

    [Theory, MemberData(nameof(FederatedHomes.Pairs), MemberType = typeof(FederatedHomes))]
    public async Task Messages_go_both_ways_and_history_is_fetched(string first, string second)
    {
        var (alice, bob) = await People(first, second);
        var room = await alice.CreateRoom(new { preset = "private_chat" });
        for (var i = 0; i < 15; i++)
            await alice.Say(room, $"before {i}");
        await alice.Invite(room, bob);
        await bob.SyncUntil(sync => sync.Invited(room) != null);
        await bob.Join(room);
        await alice.SeesMember(room, bob, "join");
        await alice.Say(room, "from alice");
        await bob.SeesMessage(room, "from alice");
        await bob.Say(room, "from bob");
        await alice.SeesMessage(room, "from bob");

        List<string> seen = [];
        await Eventually.True("bob has read what was said before he came", async () =>
        {
            string? from = null;
            seen.Clear();
            for (var page = 0; page < 10; page++)
            {
                var messages = await bob.Messages(room, from, limit: 50);
                seen.AddRange(messages["chunk"].Items().Bodies());
                from = messages.Json.Find("end")?.GetString();
                if (from == null)
                    break;
            }
            return seen.Contains("before 0");
        });
        Assert.Equal(["from bob", "from alice", .. Enumerable.Range(0, 15).Reverse().Select(i => $"before {i}")], seen);
    }

    [Theory, MemberData(nameof(FederatedHomes.Pairs), MemberType = typeof(FederatedHomes))]
    public async Task Redactions_and_state_reach_the_other_server(string first, string second)
    {
        var (alice, bob) = await People(first, second);
        var room = await alice.RoomWith(bob);
        var said = await bob.Say(room, "a slip");
        await alice.SeesMessage(room, "a slip");
        await alice.Redact(room, said.EventId);
        await Eventually.True("bob's server has redacted it", async () => (await bob.Event(room, said.EventId)).Find("content.body") == null);
        await alice.SetState(room, "m.room.topic", new { topic = "gardens" });
        await bob.SeesState(room, "m.room.topic", "", content => content.String("topic") == "gardens");
        var levels = JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(await alice.GetState(room, "m.room.power_levels"))!;
        var users = JsonSerializer.Deserialize<Dictionary<string, int>>(levels["users"])!;
        users[bob.UserId] = 50;
        levels["users"] = JsonSerializer.SerializeToElement(users);
        await alice.SetState(room, "m.room.power_levels", levels);
        await bob.SeesState(room, "m.room.power_levels", "", content => content.Find("users")?.Find(bob.UserId)?.GetInt32() == 50);
        await bob.SetState(room, "m.room.name", new { name = "Bob's" });
        await alice.SeesState(room, "m.room.name", "", content => content.String("name") == "Bob's");
    }

    [Theory, MemberData(nameof(FederatedHomes.Pairs), MemberType = typeof(FederatedHomes))]
    public async Task Receipts_reach_the_other_server(string first, string second)
    {
        var (alice, bob) = await People(first, second);
        var room = await alice.RoomWith(bob);
        var said = await alice.Say(room, "read me");
        await bob.SeesMessage(room, "read me");
        (await bob.Post($"{V3}/rooms/{Esc(room)}/receipt/m.read/{Esc(said.EventId)}", new { })).Ok();
        await alice.SyncUntil(sync => Ephemeral(sync, room, "m.receipt")?.At("content").Find(said.EventId)?.Find("m.read")?.Find(bob.UserId) != null);
    }

    static JsonElement? Ephemeral(SyncReply sync, string room, string type)
    {
        var found = (sync.Joined(room)?.Find("ephemeral.events")?.Items() ?? []).Where(one => one.String("type") == type).ToList();
        return found.Count > 0 ? found[^1] : null;
    }

    [Theory, MemberData(nameof(FederatedHomes.Pairs), MemberType = typeof(FederatedHomes))]
    public async Task Profiles_are_read_and_their_changes_seen(string first, string second)
    {
        var (alice, bob) = await People(first, second);
        (await alice.Put($"{V3}/profile/{Esc(alice.UserId)}/displayname", new { displayname = "Alice the first" })).Ok();
        Assert.Equal("Alice the first", (await bob.Get($"{V3}/profile/{Esc(alice.UserId)}")).Ok().String("displayname"));
        var room = await alice.RoomWith(bob);
        (await bob.Put($"{V3}/profile/{Esc(bob.UserId)}/displayname", new { displayname = "Bob the second" })).Ok();
        await alice.SeesState(room, "m.room.member", bob.UserId, content => content.Find("displayname")?.GetString() == "Bob the second");
    }

    [Theory, MemberData(nameof(FederatedHomes.Pairs), MemberType = typeof(FederatedHomes))]
    public async Task Keys_are_found_and_claimed_and_messages_reach_devices(string first, string second)
    {
        var (alice, bob) = await People(first, second);
        await alice.RoomWith(bob);
        (await bob.Post($"{V3}/keys/upload", new
        {
            device_keys = new
            {
                user_id = bob.UserId,
                device_id = bob.DeviceId,
                algorithms = new[] { "m.olm.v1.curve25519-aes-sha2" },
                keys = new Dictionary<string, string> { [$"ed25519:{bob.DeviceId}"] = "VzJIYXQ85u19z2ZpEeLLVu8hUKTCE0VXYUn4IY4iFcA" },
                signatures = new Dictionary<string, object> { [bob.UserId] = new Dictionary<string, string> { [$"ed25519:{bob.DeviceId}"] = "c2ln" } },
            },
            one_time_keys = new Dictionary<string, object> { ["signed_curve25519:AAAAHQ"] = new { key = "zKbLg+NrIjpnagy+pIY6uPL4ZwEG2v+8F9lmgsnlZzs", signatures = new { } } },
        })).Ok();
        await Eventually.True("alice's server knows bob's device", async () =>
            (await alice.Post($"{V3}/keys/query", new { device_keys = new Dictionary<string, string[]> { [bob.UserId] = [] } })).Ok()
                .Json.Find("device_keys")?.Find(bob.UserId)?.Find(bob.DeviceId) != null);
        var claimed = (await alice.Post($"{V3}/keys/claim", new
        {
            one_time_keys = new Dictionary<string, object> { [bob.UserId] = new Dictionary<string, string> { [bob.DeviceId] = "signed_curve25519" } },
        })).Ok();
        Assert.NotNull(claimed.Json.Find("one_time_keys")?.Find(bob.UserId)?.Find(bob.DeviceId)?.Find("signed_curve25519:AAAAHQ"));

        (await alice.Put($"{V3}/sendToDevice/m.test/txn-{alice.Localpart}", new
        {
            messages = new Dictionary<string, object> { [bob.UserId] = new Dictionary<string, object> { [bob.DeviceId] = new { secret = "for you" } } },
        })).Ok();
        await bob.SyncUntil(sync => sync.Json.Find("to_device.events")?.Items()
            .Any(message => message.String("sender") == alice.UserId && message.Find("content.secret")?.GetString() == "for you") == true);
    }

    [Theory, MemberData(nameof(FederatedHomes.Pairs), MemberType = typeof(FederatedHomes))]
    public async Task Media_of_another_server_is_downloaded(string first, string second)
    {
        var (alice, bob) = await People(first, second);
        var bytes = System.Text.Encoding.UTF8.GetBytes($"a note of {alice.UserId}");
        var uploaded = (await alice.Request(HttpMethod.Post, "/_matrix/media/v3/upload?filename=note.txt",
            new ByteArrayContent(bytes) { Headers = { ContentType = new("text/plain") } })).Ok().String("content_uri");
        var downloaded = (await bob.Get($"/_matrix/client/v1/media/download/{uploaded["mxc://".Length..]}")).Ok();
        Assert.Equal(bytes, downloaded.Bytes);
    }

    [Theory, MemberData(nameof(FederatedHomes.Pairs), MemberType = typeof(FederatedHomes))]
    public async Task Public_rooms_and_spaces_of_another_server_are_seen(string first, string second)
    {
        var (here, there) = await homes.Get(first, second);
        var (alice, bob) = (await here.NewUser("alice"), await there.NewUser("bob"));
        var space = await alice.CreateRoom(new { preset = "public_chat", visibility = "public", name = $"Space of {alice.Localpart}", creation_content = new { type = "m.space" } });
        var room = await alice.CreateRoom(new { preset = "public_chat", name = "A room of it" });
        await alice.SetState(space, "m.space.child", new { via = new[] { here.Name } }, room);
        var rooms = (await bob.Post($"{V3}/publicRooms?server={Esc(here.Name)}", new { filter = new { generic_search_term = alice.Localpart } })).Ok();
        Assert.Equal(space, Assert.Single(rooms["chunk"].Items()).String("room_id"));
        await bob.JoinVia(space, here.Name);
        await Eventually.True("the space's room is seen", async () => (await bob.Get($"/_matrix/client/v1/rooms/{Esc(space)}/hierarchy")).Ok()["rooms"].Items()
            .Any(one => one.String("room_id") == room && one.Find("name")?.GetString() == "A room of it"));
    }
}
