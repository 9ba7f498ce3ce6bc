using System.Globalization;

namespace Matrix.EndToEnd.Tests.Chaos;

/// <summary>2,000 long polls under the limits that the chart gives. Takes two minutes, and wants a machine of its own.</summary>
[Collection("end to end")]
public sealed class MemoryTests(ITestOutputHelper output)
{
    const int People = 200, PollsEach = 10, Rooms = 20;

    [Fact]
    public async Task Two_thousand_long_polls_fit_into_half_a_gigabyte_of_client_api_and_a_quarter_of_each_other_service()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("MATRIX_TEST_MEMORY") == "long", "MATRIX_TEST_MEMORY=long measures, on a machine that does nothing else.");
        var ct = TestContext.Current.CancellationToken;
        string[] limits = ["client-api=512M", .. new[] { "gateway", "federation-reader", "federation-sender", "media-repo", "pusher" }.Select(service => service + "=256M")];
        await using var server = await RunningServer.Start(["--memory", .. limits]);
        var services = server.DotnetProcesses().Where(process => process.Name != "supervisor").ToList();
        var groups = services.ToDictionary(service => service, service => MemoryGroup.TryBound(service, (service.Name.StartsWith("client-api", StringComparison.Ordinal) ? 512L : 256L) << 20));
        var trouble = new Trouble(TimeProvider.System);
        List<Person> people = [.. Enumerable.Range(0, People).Select(i => new Person(server.Url, $"poll-{i}-{Guid.NewGuid():N}", trouble))];
        foreach (var some in people.Chunk(20)) await Task.WhenAll(some.Select(person => person.Register(ct)));
        var rooms = await Task.WhenAll(people.Take(Rooms).Select(person => person.CreateRoom(ct)));
        foreach (var some in people.Chunk(20)) await Task.WhenAll(some.Select((person, i) => person.Join(rooms[i % Rooms], null, ct)));

        using var over = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var polls = people.SelectMany(person => Enumerable.Range(0, PollsEach).Select(_ => Poll(person, over.Token, ct))).ToList();
        var sent = 0;
        while (!over.IsCancellationRequested)
        {
            var speaker = sent++ % Rooms;
            await people[speaker].Send(rooms[speaker], ct);
            await Task.Delay(200, ct);
        }
        await Task.WhenAll(polls);

        foreach (var service in services)
        {
            var most = groups[service] is { } group ? string.Create(CultureInfo.InvariantCulture, $"at most {group.MostUsed >> 20} MiB in its group") : "no group could be made";
            output.WriteLine($"{service.Name}: {most}, {ProcessMemory.Together([service.Pid])} MiB now");
        }
        output.WriteLine($"{sent} messages to {polls.Count} polls; {trouble.Requests} requests, {trouble.Failed.Count} failed");
        Assert.Equal(services, server.DotnetProcesses().Where(process => process.Name != "supervisor"));
        Assert.Empty(trouble.Failed);
        await server.Down();
        foreach (var group in groups.Values) group?.Dispose();
        foreach (var person in people) person.Dispose();
    }

    static async Task Poll(Person person, CancellationToken over, CancellationToken ct)
    {
        string? since = null;
        while (!over.IsCancellationRequested) since = await person.Poll(since, 20_000, ct);
    }
}
