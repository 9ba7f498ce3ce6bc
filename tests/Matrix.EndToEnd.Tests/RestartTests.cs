namespace Matrix.EndToEnd.Tests;

/// <summary>Everything is stopped and started again.</summary>
[Collection("end to end")]
public sealed class RestartTests(SplitStack stack)
{
    [Fact]
    public async Task After_a_stop_and_a_start_nothing_is_missing()
    {
        await using var chat = await stack.NewChat(ClientLibrary.JsSdk, ClientLibrary.Nio);
        await chat.SayAndHear("before");
        var before = (await chat.Bob.ReadTimeline(chat.Room)).Received.Select(message => (message.EventId, message.Body)).ToList();

        await stack.Server.Down();
        await stack.Server.Up();
        TestContext.Current.TestOutputHelper?.WriteLine($"matrixctl up on existing data took {stack.Server.StartTime.TotalSeconds:F1} s");

        await using (var fresh = await ChatClient.Login(ClientLibrary.Nio, stack.Server.Url, chat.Bob.UserId, "correct horse battery staple"))
        {
            await fresh.PaginateBack(chat.Room, limit: 50);
            Assert.Equal(before, (await fresh.ReadTimeline(chat.Room)).Messages.Select(message => (message.EventId, message.Body)));
        }
        // the clients that were there all the time keep their tokens and go on from where they were
        await chat.Alice.SendUntilAcknowledged(chat.Room, "after");
        await chat.Bob.WaitMessage(chat.Room, "after", timeout: 40_000);
        Assert.Equal([.. before.Select(message => message.Body), "after"], (await chat.Bob.ReadTimeline(chat.Room)).Received.Select(message => message.Body));
    }

    [Fact]
    public async Task Down_leaves_no_process()
    {
        await using var server = await RunningServer.Start("--all-in-one");
        var processes = server.Processes();
        Assert.Contains(processes, process => process.Name == "all-in-one");
        await server.Down();
        Assert.Empty(server.Processes());
        Assert.All(processes, process => Assert.False(IsAlive(process.Pid), $"{process.Name} still runs"));
    }

    // one that has ended and that nobody has asked for its result yet is not alive
    static bool IsAlive(int pid) => File.Exists($"/proc/{pid}/stat") && !File.ReadAllText($"/proc/{pid}/stat").Contains(") Z ", StringComparison.Ordinal);
}
