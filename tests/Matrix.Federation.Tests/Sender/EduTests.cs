using System.Text.Json;
using Matrix.Federation.Tests.Harness;
using Matrix.Federation.Tests.Inbound;
using Matrix.Federation.Tests.Joins;

namespace Matrix.Federation.Tests.Sender;

/// <summary>What servers tell each other beside events (Server-Server API, EDUs), between two of ours, and to and from one that is scripted.</summary>
public sealed class EduTests(FederatedServers servers)
{
    const string V3 = "/_matrix/client/v3";

    MatrixServer First => servers.First;

    MatrixServer Second => servers.Second;

    [Fact]
    public async Task Typing_receipts_and_presence_reach_the_users_of_another_server()
    {
        var (alice, bob) = (await First.NewUser(), await Second.NewUser());
        var room = await alice.CreatePublicRoom();
        await bob.JoinBy(First, room);
        var said = await alice.Say(room, "hello");
        var bobs = await bob.SyncUntil(sync => sync.HasMessage(room, "hello"));

        (await alice.Put($"{V3}/rooms/{Uri.EscapeDataString(room)}/typing/{Uri.EscapeDataString(alice.UserId)}", new { typing = true, timeout = 30_000 })).Ok();
        var typing = await bob.SyncUntil(sync => Ephemeral(sync, room, "m.typing") is not null, bobs.NextBatch);
        Assert.Equal(alice.UserId, Ephemeral(typing, room, "m.typing")!.Value.At("content.user_ids").Items().Single().GetString());
        (await alice.Put($"{V3}/rooms/{Uri.EscapeDataString(room)}/typing/{Uri.EscapeDataString(alice.UserId)}", new { typing = false })).Ok();
        await bob.SyncUntil(sync => Ephemeral(sync, room, "m.typing") is { } e && e.At("content.user_ids").Items().Count == 0, typing.NextBatch);

        var before = await alice.Sync();
        (await bob.Post($"{V3}/rooms/{Uri.EscapeDataString(room)}/receipt/m.read/{Uri.EscapeDataString(said.EventId)}")).Ok();
        var receipts = await alice.SyncUntil(sync => Ephemeral(sync, room, "m.receipt") is not null, before.NextBatch);
        Assert.True(Ephemeral(receipts, room, "m.receipt")!.Value.GetProperty("content").GetProperty(said.EventId).GetProperty("m.read").TryGetProperty(bob.UserId, out _));

        (await alice.Put($"{V3}/presence/{Uri.EscapeDataString(alice.UserId)}/status", new { presence = "online", status_msg = "far away" })).Ok();
        await bob.SyncUntil(sync => (sync.Json.Find("presence.events")?.Items() ?? []).Any(e =>
            e.String("sender") == alice.UserId && e.Find("content.status_msg")?.GetString() == "far away"), typing.NextBatch);
    }

    [Fact]
    public async Task Presence_is_told_to_servers_that_come_later_and_to_those_that_were_away()
    {
        await using var remote = await servers.NewRemote();
        await using var other = await servers.NewRemote();
        var (inbox, already) = (new RemoteInbox(remote), new RemoteInbox(other));
        var alice = await First.NewUser();
        await already.Join(First, await alice.CreatePublicRoom());
        var room = await alice.CreatePublicRoom();
        await Show("nobody else is there");
        await already.Until(() => Seen(already) == "nobody else is there"); // it is known who shares a room with her
        await inbox.Join(First, room);
        await inbox.Until(() => Seen(inbox) == "nobody else is there");
        await Show("now you are");
        await inbox.Until(() => Seen(inbox) == "now you are");

        inbox.IsDown = true;
        await alice.Say(room, "are you there?");
        await Show("you are away");
        await already.Until(() => Seen(already) == "you are away");
        await remote.Asked(request => request.Method == HttpMethod.Put && request.Json.ToString().Contains("are you there?", StringComparison.Ordinal));
        inbox.IsDown = false;
        await inbox.HeardUntil(First, () => Seen(inbox) == "you are away");

        async Task Show(string status) =>
            (await alice.Put($"{V3}/presence/{Uri.EscapeDataString(alice.UserId)}/status", new { presence = "online", status_msg = status })).Ok();
        string? Seen(RemoteInbox at) => at.Edus("m.presence").SelectMany(edu => edu.At("push").Items()).Where(push => push.String("user_id") == alice.UserId)
            .Select(push => push.Find("status_msg")?.GetString()).LastOrDefault();
    }

    [Fact]
    public async Task What_is_said_of_events_and_members_that_come_in_the_same_transaction_counts()
    {
        await using var remote = await servers.NewRemote();
        var alice = await First.NewUser();
        var room = await alice.CreatePublicRoom();
        var since = (await alice.Sync()).NextBatch;
        var eve = await RemoteMember.Find(First, remote, room);
        var user = eve.User.ToString();
        var join = await eve.Build(Protocol.EventTypes.Member, new { membership = "join" }, user);
        var said = join.EventId.ToString();
        (await remote.Put(First, $"/_matrix/federation/v1/send/{Guid.NewGuid():N}", new
        {
            pdus = new[] { JsonElement.Parse(join.Json.Span) },
            edus = new object[]
            {
                new { edu_type = "m.typing", content = new { room_id = room, user_id = user, typing = true } },
                new { edu_type = "m.presence", content = new { push = new[] { new { user_id = user, presence = "unavailable", status_msg = "on the way" } } } },
                new { edu_type = "m.presence", content = new { push = new[] { new { user_id = user, presence = "online", status_msg = "just arrived" } } } },
                new
                {
                    edu_type = "m.receipt",
                    content = new Dictionary<string, object> { [room] = new Dictionary<string, object>
                        { ["m.read"] = new Dictionary<string, object> { [user] = new { data = new { ts = 1 }, event_ids = new[] { said } } } } },
                },
            },
        })).Ok();
        var seen = new List<SyncReply>();
        await alice.SyncUntil(sync =>
        {
            seen.Add(sync);
            return seen.Any(s => Ephemeral(s, room, "m.typing") is not null) && seen.Any(s => Ephemeral(s, room, "m.receipt") is not null)
                && seen.Any(s => (s.Json.Find("presence.events")?.Items() ?? []).Any(e => e.String("sender") == user && e.Find("content.status_msg")?.GetString() == "just arrived"));
        }, since);
    }

    [Fact]
    public async Task Devices_of_two_servers_find_each_other_and_exchange_messages()
    {
        using var alice = await KeyUser.Create(First);
        using var bob = await KeyUser.Create(Second);
        var room = await alice.User.CreatePublicRoom();
        await bob.User.JoinBy(First, room);
        await bob.UploadOneTime("one");
        (await bob.UploadCrossSigning()).Ok();

        var keys = (await alice.Query(bob.Id)).Ok();
        Assert.Equal(bob.DeviceKey.VerifyKey.ToString(), keys["device_keys"].GetProperty(bob.Id).GetProperty(bob.Device).GetProperty("keys").GetProperty($"ed25519:{bob.Device}").GetString());
        Assert.True(keys["master_keys"].TryGetProperty(bob.Id, out _));
        Assert.True(keys["self_signing_keys"].TryGetProperty(bob.Id, out _));
        Assert.Equal($"{KeyUser.Signed}:one", await alice.ClaimedId(bob));
        Assert.Null(await alice.ClaimedId(bob));

        var since = (await bob.User.Sync()).NextBatch;
        (await alice.SendToDevice("m.test", KeyUser.To(bob.Id, bob.Device, new { body = "first" }))).Ok();
        (await alice.SendToDevice("m.test", KeyUser.To(bob.Id, "*", new { body = "second" }))).Ok();
        var got = new List<string>();
        await bob.User.SyncUntil(sync =>
        {
            got.AddRange(KeyUser.Messages(sync));
            return got.Count >= 2;
        }, since);
        Assert.Equal(["first", "second"], got);
    }

    [Fact]
    public async Task A_new_device_of_a_user_of_another_server_is_told_of_and_shown()
    {
        using var alice = await KeyUser.Create(First);
        using var bob = await KeyUser.Create(Second);
        var room = await alice.User.CreatePublicRoom();
        await bob.User.JoinBy(First, room);
        Assert.Single((await alice.Query(bob.Id)).Ok()["device_keys"].GetProperty(bob.Id).EnumerateObject());
        var since = (await alice.User.Sync()).NextBatch;

        using var phone = new KeyUser(await bob.User.NewDevice());
        await phone.UploadDevice();
        since = (await alice.User.SyncUntil(sync => KeyUser.Changed(sync).Contains(bob.Id), since)).NextBatch;
        await Shown(2);
        (await phone.User.Post($"{V3}/logout")).Ok();
        await alice.User.SyncUntil(sync => KeyUser.Changed(sync).Contains(bob.Id), since);
        await Shown(1);

        // a login and its keys are two changes, of which the first may be heard of alone
        async Task Shown(int devices)
        {
            while ((await alice.Query(bob.Id)).Ok()["device_keys"].GetProperty(bob.Id).EnumerateObject().Count() != devices)
                since = (await alice.User.SyncUntil(sync => KeyUser.Changed(sync).Contains(bob.Id), since)).NextBatch;
        }
    }

    [Fact]
    public async Task Keys_of_another_servers_user_are_asked_for_once_until_they_change()
    {
        await using var remote = await servers.NewRemote();
        var inbox = new RemoteInbox(remote);
        var asked = 0;
        var bob = remote.User("bob").ToString();
        remote.On(HttpMethod.Post, "/_matrix/federation/v1/user/keys/query", _ =>
        {
            Interlocked.Increment(ref asked);
            return new { device_keys = new Dictionary<string, object> { [bob] = new { X = new { user_id = bob, device_id = "X", keys = new { } }, Y = new { user_id = "@eve:x", device_id = "Y" } } } };
        });
        using var alice = await KeyUser.Create(First);
        var room = await alice.User.CreatePublicRoom();
        await inbox.Join(First, room);
        for (var i = 0; i < 3; i++)
            Assert.Equal("X", Assert.Single((await alice.Query(bob)).Ok()["device_keys"].GetProperty(bob).EnumerateObject()).Name);
        Assert.Equal(1, asked);

        var since = (await alice.User.Sync()).NextBatch;
        await Tell(remote, "m.device_list_update", new { user_id = bob, device_id = "X", stream_id = 7, prev_id = new[] { 5 }, deleted = true });
        await alice.User.SyncUntil(sync => KeyUser.Changed(sync).Contains(bob), since);
        (await alice.Query(bob)).Ok();
        Assert.Equal(2, asked);
        // about users of others it has nothing to say
        await Tell(remote, "m.device_list_update", new { user_id = alice.Id, device_id = "X", stream_id = 8 });
        Assert.True((await alice.Query(alice.Id)).Ok()["device_keys"].GetProperty(alice.Id).TryGetProperty(alice.Device, out _));
    }

    [Fact]
    public async Task A_message_to_a_device_that_comes_twice_is_taken_once()
    {
        await using var remote = await servers.NewRemote();
        using var alice = await KeyUser.Create(First);
        var eve = remote.User("eve").ToString();
        for (var i = 0; i < 2; i++)
            await Tell(remote, "m.direct_to_device", new { sender = eve, type = "m.test", message_id = "same", messages = KeyUser.To(alice.Id, alice.Device, new { body = "hi" }) });
        await Tell(remote, "m.direct_to_device", new { sender = "@mallory:elsewhere", type = "m.test", message_id = "forged", messages = KeyUser.To(alice.Id, alice.Device, new { body = "forged" }) });
        await Tell(remote, "m.direct_to_device", new { sender = eve, type = "m.test", message_id = "other", messages = KeyUser.To(alice.Id, "*", new { body = "end" }) });
        var got = new List<string>();
        await alice.User.SyncUntil(sync =>
        {
            got.AddRange(KeyUser.Messages(sync));
            return got.Contains("end");
        });
        Assert.Equal(["hi", "end"], got);
    }

    [Fact]
    public async Task Messages_to_devices_wait_for_a_server_that_is_away_and_come_once()
    {
        await using var remote = await servers.NewRemote();
        var inbox = new RemoteInbox(remote) { IsDown = true };
        using var alice = await KeyUser.Create(First);
        var bob = remote.User("bob").ToString();
        for (var i = 0; i < 3; i++)
            (await alice.SendToDevice("m.test", KeyUser.To(bob, "DEVICE", new { body = $"{i}" }))).Ok();
        await remote.Asked(request => request.Method == HttpMethod.Put);
        inbox.IsDown = false;

        await inbox.HeardUntil(First, () => inbox.Edus("m.direct_to_device").Count >= 3);
        var messages = inbox.Edus("m.direct_to_device");
        Assert.Equal(["0", "1", "2"], messages.Select(m => m.GetProperty("messages").GetProperty(bob).GetProperty("DEVICE").String("body")));
        Assert.Equal(3, messages.Select(m => m.String("message_id")).Distinct().Count());
        Assert.All(messages, m => Assert.Equal((alice.Id, "m.test"), (m.String("sender"), m.String("type"))));
    }

    [Fact]
    public async Task What_a_denied_server_says_of_a_room_is_passed_over()
    {
        await using var remote = await servers.NewRemote();
        var inbox = new RemoteInbox(remote);
        var alice = await First.NewUser();
        var (open, closed) = (await alice.CreatePublicRoom(), await alice.CreatePublicRoom());
        await inbox.Join(First, open);
        await inbox.Join(First, closed);
        await alice.SetState(closed, "m.room.server_acl", new { allow = new[] { "*" }, deny = new[] { "localhost" } });
        var since = (await alice.Sync()).NextBatch;
        var bob = remote.User("bob").ToString();
        await Tell(remote, "m.typing", new { room_id = closed, user_id = bob, typing = true });
        await Tell(remote, "m.typing", new { room_id = open, user_id = alice.UserId, typing = true });
        await Tell(remote, "m.typing", new { room_id = open, user_id = bob, typing = true });
        var seen = new List<SyncReply>();
        await alice.SyncUntil(sync =>
        {
            seen.Add(sync);
            return Ephemeral(sync, open, "m.typing") is not null;
        }, since);
        Assert.All(seen, sync => Assert.Null(Ephemeral(sync, closed, "m.typing")));
        Assert.Equal(bob, Ephemeral(seen[^1], open, "m.typing")!.Value.At("content.user_ids").Items().Single().GetString());
    }

    [Fact]
    public async Task What_a_server_says_of_others_users_or_of_rooms_that_it_is_not_in_is_passed_over()
    {
        await using var remote = await servers.NewRemote();
        await using var other = await servers.NewRemote();
        var (inbox, elsewhere) = (new RemoteInbox(remote), new RemoteInbox(other));
        var alice = await First.NewUser();
        var (open, closed) = (await alice.CreatePublicRoom(), await alice.CreatePublicRoom());
        await inbox.Join(First, open);
        await elsewhere.Join(First, open, "carol");
        await elsewhere.Join(First, closed, "carol");
        var (atOpen, atClosed) = ((await alice.Say(open, "x")).EventId, (await alice.Say(closed, "x")).EventId);
        var since = (await alice.Sync()).NextBatch;
        var (bob, carol) = (remote.User("bob").ToString(), other.User("carol").ToString());
        object Receipt(string room, string user, string at) => new Dictionary<string, object>
            { [room] = new Dictionary<string, object> { ["m.read"] = new Dictionary<string, object> { [user] = new { data = new { ts = 1 }, event_ids = new[] { at } } } } };
        await Tell(remote, "m.typing", new { room_id = closed, user_id = bob, typing = true });
        await Tell(remote, "m.receipt", Receipt(closed, bob, atClosed));
        await Tell(remote, "m.receipt", Receipt(open, carol, atOpen));
        await Tell(remote, "m.presence", new { push = new[] { new { user_id = carol, presence = "online", status_msg = "forged" } } });
        await Tell(remote, "m.receipt", Receipt(open, bob, atOpen));
        await Tell(remote, "m.presence", new { push = new[] { new { user_id = bob, presence = "online", status_msg = "true" } } });
        var seen = new List<SyncReply>();
        await alice.SyncUntil(sync =>
        {
            seen.Add(sync);
            return seen.Any(s => Ephemeral(s, open, "m.receipt") is not null) && seen.Any(s => s.Json.ToString().Contains("\"true\"", StringComparison.Ordinal));
        }, since);
        Assert.All(seen, sync => Assert.Null(sync.Joined(closed)));
        Assert.DoesNotContain(seen, sync => sync.Json.ToString().Contains(carol, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_change_of_a_device_is_told_with_what_it_builds_on()
    {
        await using var remote = await servers.NewRemote();
        var inbox = new RemoteInbox(remote);
        using var alice = await KeyUser.Create(First);
        var room = await alice.User.CreatePublicRoom();
        await inbox.Join(First, room);
        await alice.UploadDevice();
        (await alice.User.Post($"{V3}/keys/upload", new { device_keys = alice.DeviceKeys("m.other") })).Ok();
        // both changes may come, or only the newer one
        await inbox.Until(() => inbox.Edus("m.device_list_update").Any(IsNewer));
        var update = inbox.Edus("m.device_list_update").Last(IsNewer);
        Assert.Equal((alice.Id, alice.Device), (update.String("user_id"), update.String("device_id")));
        Assert.True(Assert.Single(update.At("prev_id").Items()).GetInt64() < update.At("stream_id").GetInt64());

        var devices = (await remote.Get(First, $"/_matrix/federation/v1/user/devices/{Uri.EscapeDataString(alice.Id)}")).Ok();
        Assert.Equal(update.At("stream_id").GetInt64(), devices["stream_id"].GetInt64());
        Assert.Equal(alice.Device, Assert.Single(devices["devices"].Items()).String("device_id"));

        static bool IsNewer(JsonElement update) => update.Find("keys.algorithms")?.Items() is [var only] && only.GetString() == "m.other";
    }

    static async Task Tell(RemoteServer remote, MatrixServer server, string type, object content) =>
        (await remote.Put(server, $"/_matrix/federation/v1/send/{Guid.NewGuid():N}", new
        {
            origin = remote.Name.ToString(), origin_server_ts = 1_700_000_000_000, pdus = Array.Empty<object>(), edus = new[] { new { edu_type = type, content } },
        })).Ok();

    Task Tell(RemoteServer remote, string type, object content) => Tell(remote, First, type, content);

    static JsonElement? Ephemeral(SyncReply sync, string room, string type) =>
        sync.Joined(room)?.Find("ephemeral.events")?.Items().Cast<JsonElement?>().LastOrDefault(e => e!.Value.String("type") == type);
}
