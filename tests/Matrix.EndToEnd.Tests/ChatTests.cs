using Matrix.Testing;

namespace Matrix.EndToEnd.Tests;

/// <summary>People chat with unmodified clients, through the gateway, on the split stack.</summary>
[Collection("end to end")]
public sealed class ChatTests(SplitStack stack)
{
    [Theory]
    [InlineData(ClientLibrary.JsSdk, ClientLibrary.JsSdk)]
    [InlineData(ClientLibrary.JsSdk, ClientLibrary.Nio)]
    [InlineData(ClientLibrary.Nio, ClientLibrary.JsSdk)]
    [InlineData(ClientLibrary.Nio, ClientLibrary.Nio)]
    public async Task Two_people_register_invite_join_talk_both_ways_and_leave(string first, string second)
    {
        await using var chat = await stack.NewChat(first, second);
        var said = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            foreach (var (speaker, listener) in new[] { (chat.Alice, chat.Bob), (chat.Bob, chat.Alice) })
            {
                said.Add($"{speaker.UserId} says {i}");
                var eventId = await speaker.Send(chat.Room, said[^1]);
                var heard = await listener.WaitMessage(chat.Room, said[^1]);
                Assert.Equal((eventId, speaker.UserId), (heard.EventId, heard.Sender));
            }
        }
        foreach (var client in chat.Both)
        {
            await client.WaitMessage(chat.Room, said[^1]);
            Assert.Equal(said, (await client.ReadTimeline(chat.Room)).Received.Select(message => message.Body));
        }
        await chat.Bob.Leave(chat.Room);
        await chat.Alice.WaitMembership(chat.Room, chat.Bob.UserId, "leave");
        await Assert.ThrowsAsync<InvalidOperationException>(() => chat.Bob.Send(chat.Room, "after leaving"));
    }

    [Theory, MemberData(nameof(ClientLibrary.All), MemberType = typeof(ClientLibrary))]
    public async Task A_newcomer_pages_back_to_the_beginning_of_the_room(string library)
    {
        await using var chat = await stack.NewChat(ClientLibrary.Nio, ClientLibrary.Nio);
        var said = Enumerable.Range(0, 100).Select(i => $"message {i}").ToList();
        foreach (var body in said)
        {
            await chat.Alice.Send(chat.Room, body);
        }
        await using var carol = await stack.NewClient(library, "carol");
        await chat.Alice.Invite(chat.Room, carol.UserId);
        await carol.Join(chat.Room);
        await carol.WaitMembership(chat.Room, carol.UserId, "join");
        Assert.True(await carol.PaginateBack(chat.Room, limit: 10) > 3);
        Assert.Equal(said, (await carol.ReadTimeline(chat.Room)).Messages.Select(message => message.Body));
    }

    [Fact]
    public async Task Two_devices_of_one_person_show_the_same_chat()
    {
        await using var chat = await stack.NewChat(ClientLibrary.JsSdk, ClientLibrary.Nio);
        await chat.SayAndHear("before");
        await using var phone = await ChatClient.Login(ClientLibrary.Nio, stack.Server.Url, chat.Alice.UserId, "correct horse battery staple");
        await chat.SayAndHear("after");
        await phone.WaitMessage(chat.Room, $"after says {chat.Bob.UserId}");
        var onDesk = (await chat.Alice.ReadTimeline(chat.Room)).Received.Select(message => message.EventId);
        Assert.Equal(onDesk, (await phone.ReadTimeline(chat.Room)).Received.Select(message => message.EventId));
    }

    [Theory, MemberData(nameof(ClientLibrary.All), MemberType = typeof(ClientLibrary))]
    public async Task A_message_wakes_the_other_client_within_a_fraction_of_a_second(string library)
    {
        await using var chat = await stack.NewChat(ClientLibrary.Nio, library, onDifferentReplicas: true);
        await chat.SayAndHear("warm up");
        var delays = new List<long>();
        for (var i = 0; i < 20; i++)
        {
            var sent = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
            await chat.Alice.Send(chat.Room, $"tick {i}");
            delays.Add((await chat.Bob.WaitMessage(chat.Room, $"tick {i}")).At - sent);
        }
        delays.Sort();
        TestContext.Current.TestOutputHelper?.WriteLine($"{library}: sent to shown, 20 messages: median {delays[10]} ms, slowest {delays[^1]} ms");
        Assert.InRange(delays[10], 0, 250);
        Assert.InRange(delays[^1], 0, 1000);
    }

    [Fact]
    public async Task A_new_display_name_reaches_the_others()
    {
        await using var chat = await stack.NewChat(ClientLibrary.Nio, ClientLibrary.JsSdk);
        await chat.Alice.SetName("Alice Liddell");
        await chat.SayAndHear("after the change");
        await Eventually.True("bob sees the name", async () =>
            (await chat.Bob.Call("nameOf", new { roomId = chat.Room, userId = chat.Alice.UserId })).GetProperty("name").GetString() == "Alice Liddell");
    }

    [Fact]
    public async Task A_client_gets_back_the_filter_that_it_stored()
    {
        await using var alice = await stack.NewClient(ClientLibrary.JsSdk, "alice");
        Assert.Equal(7, (await alice.Call("storeFilter")).GetProperty("limit").GetInt32());
    }
}
