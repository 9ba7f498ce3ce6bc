namespace Matrix.EndToEnd.Tests.Chaos;

/// <summary>Who gives and takes a byte at a time holds nobody up, and costs no memory to speak of.</summary>
[Collection("end to end")]
public sealed class SlowClientTests(SplitStack stack, ITestOutputHelper output)
{
    const int OfEach = 60, Megabytes = 8;

    [Fact]
    public async Task Slow_clients_hold_nobody_up_and_are_not_buffered_for()
    {
        var ct = TestContext.Current.CancellationToken;
        var trouble = new Trouble(TimeProvider.System);
        using var person = new Person(stack.Server.Url, SplitStack.NewName("slow"), trouble);
        await person.Register(ct);
        var room = await person.CreateRoom(ct);
        var media = await person.Upload(new byte[Megabytes << 20], ct);
        var before = ProcessMemory.Together(stack.Server.DotnetProcesses().Select(process => process.Pid));

        using var slow = await SlowClients.Begin(stack.Server.Url, OfEach, person.Token, $"GET /_matrix/client/v1/media/download/{media["mxc://".Length..]}");
        for (var i = 0; i < 20; i++) await person.Send(room, ct).WaitAsync(TimeSpan.FromSeconds(20), ct);
        await person.Sync(0, ct).WaitAsync(TimeSpan.FromSeconds(20), ct);
        Assert.Empty(trouble.Failed);

        var grown = ProcessMemory.Together(stack.Server.DotnetProcesses().Select(process => process.Pid)) - before;
        output.WriteLine($"{3 * OfEach} slow connections: {grown} MiB more");
        Assert.True(grown < OfEach * Megabytes / 2, $"{grown} MiB more: answers are held for those who do not read them");
    }
}
