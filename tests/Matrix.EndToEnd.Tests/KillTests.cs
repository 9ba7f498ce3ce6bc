namespace Matrix.EndToEnd.Tests;

/// <summary>Processes are killed with -9 while people chat: what was acknowledged is there exactly once, and the chat goes on.</summary>
[Collection("end to end")]
public sealed class KillTests(SplitStack stack)
{
    [Theory]
    [InlineData(ClientLibrary.JsSdk, ClientLibrary.Nio)]
    [InlineData(ClientLibrary.Nio, ClientLibrary.JsSdk)]
    public async Task A_killed_replica_loses_and_doubles_no_message(string first, string second)
    {
        await using var chat = await stack.NewChat(first, second, onDifferentReplicas: true);
        await TalkWhileKilling(chat, await stack.Server.ReplicaOf(chat.Alice.AccessToken));
    }

    [Theory]
    [InlineData("gateway")]
    [InlineData("federation-reader")]
    [InlineData("federation-sender")]
    [InlineData("media-repo")]
    [InlineData("pusher")]
    public async Task The_chat_goes_on_when_a_service_is_killed(string service)
    {
        // without a gateway everyone is away for a while, and matrix-js-sdk overlooks a gap in which it has sent something itself
        var second = service == "gateway" ? ClientLibrary.Nio : ClientLibrary.JsSdk;
        await using var chat = await stack.NewChat(ClientLibrary.Nio, second, onDifferentReplicas: true);
        await TalkWhileKilling(chat, service);
    }

    /// <summary>Both talk at once, each waiting for the server's answer and sending again, as clients do, when it fails; the kill falls in the middle.</summary>
    async Task TalkWhileKilling(Chat chat, string victim)
    {
        const int Before = 10, After = 10;
        const int Reconnecting = 60_000; // milliseconds; matrix-js-sdk waits 5 to 10 s after a lost connection, and twice that if it comes too early
        await chat.SayAndHear("before");
        var acknowledged = new Dictionary<string, string>();
        var reached = new TaskCompletionSource();
        var talking = Task.WhenAll(chat.Both.Select(async speaker =>
        {
            for (var i = 0; i < Before + After; i++)
            {
                var body = $"{speaker.UserId} says {i}";
                var eventId = await speaker.SendUntilAcknowledged(chat.Room, body);
                lock (acknowledged)
                {
                    acknowledged.Add(eventId, body);
                    if (i == Before)
                    {
                        reached.TrySetResult();
                    }
                }
            }
        }));
        await Task.WhenAny(reached.Task, talking);
        var killed = stack.Server.Kill(victim);
        await talking;
        await stack.Server.WaitReplaced(killed);

        await chat.SayAndHear("after", Reconnecting);
        // what a device sees that has seen nothing yet
        await using var fresh = await ChatClient.Login(ClientLibrary.Nio, stack.Server.Url, chat.Bob.UserId, "correct horse battery staple");
        await fresh.PaginateBack(chat.Room, limit: 30);
        AssertExactlyOnce("a new device", acknowledged, (await fresh.ReadTimeline(chat.Room)).Messages);
        foreach (var client in chat.Both)
        {
            // who was away for long has a gap in the timeline, and fills it as clients do: by paging back
            await client.PaginateBack(chat.Room, limit: 30);
            var timeline = await client.ReadTimeline(chat.Room);
            AssertExactlyOnce(client.UserId, acknowledged, timeline.Messages);
            Assert.Distinct(timeline.Received.Select(message => message.EventId));
        }
    }

    static void AssertExactlyOnce(string who, Dictionary<string, string> acknowledged, IReadOnlyList<Message> seen)
    {
        var talk = seen.Where(message => acknowledged.ContainsValue(message.Body)).Select(message => $"{message.EventId} {message.Body}").ToList();
        var wanted = acknowledged.Select(message => $"{message.Key} {message.Value}").ToList();
        Assert.True(wanted.Except(talk).ToList() is [], $"{who} lacks {string.Join(", ", wanted.Except(talk))} and sees {string.Join(", ", seen.Select(message => message.Body))}");
        Assert.Equal(wanted.Order(StringComparer.Ordinal), talk.Order(StringComparer.Ordinal));
    }
}
