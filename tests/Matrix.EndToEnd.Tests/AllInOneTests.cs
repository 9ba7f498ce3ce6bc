namespace Matrix.EndToEnd.Tests;

/// <summary>The same modules in one process: the same clients chat on it, and what they said outlives a kill.</summary>
[Collection("end to end")]
public sealed class AllInOneTests
{
    [Fact]
    public async Task Two_people_chat_on_one_process_and_find_everything_after_it_was_killed()
    {
        await using var server = await RunningServer.Start("--all-in-one");
        await using var chat = await Chat.Begin(
            await SplitStack.NewClient(server, ClientLibrary.JsSdk, "alice"), await SplitStack.NewClient(server, ClientLibrary.Nio, "bob"));
        await chat.SayAndHear("before");

        await server.WaitReplaced(server.Kill("all-in-one"));

        await using var fresh = await ChatClient.Login(ClientLibrary.Nio, server.Url, chat.Bob.UserId, "correct horse battery staple");
        await fresh.PaginateBack(chat.Room, limit: 30);
        var found = (await fresh.ReadTimeline(chat.Room)).Messages.Select(message => message.Body);
        Assert.Equal(chat.Both.Select(speaker => $"before says {speaker.UserId}"), found);
    }
}
