using System.Net;
using Matrix.Testing;
using Matrix.Testing.Servers;

namespace Matrix.EndToEnd.Tests;

/// <summary>
/// A replica is killed with -9 while keys are claimed, messages go between devices and delayed events fall due: no key is given twice, nothing is lost or doubled.
/// </summary>
[Collection("end to end")]
public sealed class KeyKillTests(SplitStack stack)
{
    const string V3 = "/_matrix/client/v3";

    [Fact]
    public async Task A_one_time_key_is_given_out_once_though_a_replica_dies_between_claim_and_answer()
    {
        const int Keys = 60;
        using var http = new HttpClient { BaseAddress = stack.Server.Url };
        var (alice, bob) = (await Register(http), await Register(http));
        (await bob.Post($"{V3}/keys/upload", new
        {
            one_time_keys = Enumerable.Range(0, Keys).ToDictionary(i => $"signed_curve25519:k{i}", i => new { key = $"key {i}" }),
        })).Ok();
        var claim = new { one_time_keys = new Dictionary<string, object> { [bob.UserId] = new Dictionary<string, string> { [bob.DeviceId] = "signed_curve25519" } } };
        var given = new List<string>();
        ServerProcess? killed = null;
        for (var i = 0; i < Keys; i++)
        {
            // four at once, so that some are under way when the kill falls
            var claims = Enumerable.Range(0, 4).Select(_ => Try(() => alice.Post($"{V3}/keys/claim", claim))).ToList();
            if (i == 4) killed = stack.Server.Kill(await stack.Server.ReplicaOf(alice.AccessToken!));
            foreach (var reply in await Task.WhenAll(claims))
            {
                if (reply is { Status: HttpStatusCode.OK } && reply["one_time_keys"].Find(bob.UserId)?.Find(bob.DeviceId) is { } keys)
                    given.Add(keys.EnumerateObject().Single().Name);
            }
            if (given.Count >= Keys - 20) break;
        }
        await stack.Server.WaitReplaced(killed!);
        Assert.True(given.Count >= 20, $"only {given.Count} keys were given out");
        Assert.Distinct(given);
    }

    [Fact]
    public async Task A_message_between_devices_and_a_delayed_event_come_once_though_replicas_die()
    {
        const int Messages = 40, Delayed = 40;
        using var http = new HttpClient { BaseAddress = stack.Server.Url };
        var (alice, bob) = (await Register(http), await Register(http));
        var room = await alice.CreateRoom();
        await Task.WhenAll(Enumerable.Range(0, Delayed).Select(async i => (await alice.Put(
            $"{V3}/rooms/{ApiClient.Esc(room)}/send/m.room.message/late{i}?org.matrix.msc4140.delay={500 + (i * 100)}", User.Text($"late {i}"))).Ok()));
        var receiving = Receive(bob, Messages);
        ServerProcess? killed = null;
        for (var i = 0; i < Messages; i++)
        {
            var body = new { messages = new Dictionary<string, object> { [bob.UserId] = new Dictionary<string, object> { [bob.DeviceId] = new { number = i } } } };
            var sending = Until(() => alice.Put($"{V3}/sendToDevice/org.example.x/t{i}", body));
            if (i == 10) killed = stack.Server.Kill(await stack.Server.ReplicaOf(alice.AccessToken!));
            if (i == 25)
            {
                await stack.Server.WaitReplaced(killed!);
                killed = stack.Server.Kill(await stack.Server.ReplicaOf(bob.AccessToken!));
            }
            await sending;
        }
        await stack.Server.WaitReplaced(killed!);
        Assert.Equal(Enumerable.Range(0, Messages), await receiving);
        IReadOnlyList<string> late = [];
        await Eventually.True("the delayed events are there", async () => (late = (await Until(() => alice.Get(
            $"{V3}/rooms/{ApiClient.Esc(room)}/messages?dir=b&limit=100")))["chunk"].Items().Bodies()).Count >= Delayed);
        Assert.Equal(Enumerable.Range(0, Delayed).Select(i => $"late {i}").Order(), late.Order());
    }

    static async Task<List<int>> Receive(User user, int count)
    {
        var received = new List<int>();
        string? since = null;
        while (received.Count < count)
        {
            // a client that got no answer asks again with the token that it has
            var sync = await Until(() => user.Get($"{V3}/sync?timeout=2000{(since is null ? "" : $"&since={since}")}"));
            since = sync.String("next_batch");
            received.AddRange((sync.Json.Find("to_device.events")?.Items() ?? []).Select(e => e.At("content.number").GetInt32()));
        }
        return received;
    }

    static async Task<Reply> Until(Func<Task<Reply>> request) =>
        (await Eventually.Get("the server comes back", () => Try(request), reply => reply is { Status: HttpStatusCode.OK }))!;

    static async Task<Reply?> Try(Func<Task<Reply>> request)
    {
        try
        {
            return await request();
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    static async Task<User> Register(HttpClient http)
    {
        var made = (await new ApiClient(http).Post($"{V3}/register", new
        {
            username = SplitStack.NewName("keys"), password = "correct horse battery staple", auth = new { type = "m.login.dummy" },
        })).Ok();
        return new User(http, made.String("user_id"), made.String("device_id"), made.String("access_token"));
    }
}
