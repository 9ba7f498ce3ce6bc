using System.Net;
using Matrix.Testing;
using Matrix.Testing.Servers;

namespace Matrix.EndToEnd.Tests;

/// <summary>A client in the shape of Element X on the split stack, whose replica is killed with -9 in the middle of a talk, twice.</summary>
[Collection("end to end")]
public sealed class ElementTests(SplitStack stack)
{
    const string V3 = "/_matrix/client/v3";
    const int Messages = 30;

    [Fact]
    public async Task Two_sliding_connections_miss_and_double_nothing_though_their_replica_dies()
    {
        using var http = new HttpClient { BaseAddress = stack.Server.Url };
        var (alice, bob) = (await Register(http), await Register(http));
        string[] rooms = [await Room(alice, bob, "open"), await Room(alice, bob, "beside")];
        await using var client = new ElementClient(bob) { Open = rooms[0] };
        client.Begin();
        await Eventually.True("the client knows its rooms", () => rooms.All(room => client.NameOf(room) is not null));
        ServerProcess? killed = null;
        for (var i = 0; i < Messages; i++)
        {
            if (i is 8 or 20)
            {
                if (killed is not null)
                    await stack.Server.WaitReplaced(killed);
                killed = stack.Server.Kill(await stack.Server.ReplicaOf(bob.AccessToken!));
            }
            foreach (var room in rooms)
                await Insist(() => alice.Put($"{V3}/rooms/{ApiClient.Esc(room)}/send/m.room.message/t{i}", User.Text($"message {i}")));
            await Insist(() => alice.Put($"{V3}/sendToDevice/org.example.x/d{i}", new
            {
                messages = new Dictionary<string, object> { [bob.UserId] = new Dictionary<string, object> { [bob.DeviceId] = new { number = i } } },
            }));
        }
        await stack.Server.WaitReplaced(killed!);

        var said = Enumerable.Range(0, Messages).Select(i => $"message {i}").ToList();
        await Eventually.True("everything has arrived", () =>
            client.DeviceMessages.Count >= Messages && rooms.All(room => client.Bodies(room) is [.., var last] && last == said[^1]));
        Assert.All(rooms, room => Assert.Equal(said, client.Bodies(room)));
        Assert.Equal(Enumerable.Range(0, Messages), client.DeviceMessages);
        Assert.Empty(client.Wrong);
        Assert.Equal(["open", "beside"], rooms.Select(client.NameOf));
    }

    static async Task<string> Room(User alice, User bob, string name)
    {
        var room = await alice.CreateRoom(new { preset = "private_chat", name, invite = new[] { bob.UserId } });
        await bob.Join(room);
        return room;
    }

    static async Task Insist(Func<Task<Reply>> request) => await Eventually.True("the server comes back", async () =>
    {
        try
        {
            return (await request()).Status == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    });

    static async Task<User> Register(HttpClient http)
    {
        var made = (await new ApiClient(http).Post($"{V3}/register", new
        {
            username = SplitStack.NewName("element"), password = "correct horse battery staple", auth = new { type = "m.login.dummy" },
        })).Ok();
        return new User(http, made.String("user_id"), made.String("device_id"), made.String("access_token"));
    }
}
