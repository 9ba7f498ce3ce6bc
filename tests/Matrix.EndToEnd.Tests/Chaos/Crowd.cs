using System.Collections.Concurrent;
using System.Globalization;

namespace Matrix.EndToEnd.Tests.Chaos;

/// <summary>
/// People who talk in some rooms all the time, each with a long poll; and the auditor, who wrote down every message that was acknowledged and asks at the
/// end whether all of them are there once, in order, for everyone.
/// </summary>
sealed class Crowd : IAsyncDisposable
{
    const int PollTimeout = 10_000;
    readonly CancellationTokenSource _talking = new(), _reading = new();
    readonly ConcurrentQueue<Acknowledged> _acknowledged = new();
    readonly List<Person> _people = [];
    readonly List<string> _rooms = [];
    readonly List<Task> _loops = [];
    readonly Uri _server;
    readonly int _seed;

    Crowd(Uri server, int seed) => (_server, _seed) = (server, seed);

    public Trouble Trouble { get; } = new(TimeProvider.System);

    public int Acknowledged => _acknowledged.Count;

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<Crowd> Begin(Uri server, int people, int rooms, int seed)
    {
        var crowd = new Crowd(server, seed);
        var name = Guid.NewGuid().ToString("N")[..8];
        for (var i = 0; i < people; i++) crowd._people.Add(new Person(server, string.Create(CultureInfo.InvariantCulture, $"{name}-{i}"), crowd.Trouble));
        await Task.WhenAll(crowd._people.Select(person => person.Register(Ct)));
        for (var i = 0; i < rooms; i++) crowd._rooms.Add(await crowd._people[i % people].CreateRoom(Ct));
        foreach (var person in crowd._people)
            foreach (var room in crowd._rooms) await person.Join(room, Ct);
        await Task.WhenAll(crowd._people.Select(person => person.Sync(0, Ct)));
        crowd._loops.AddRange(crowd._people.Select((person, i) => crowd.Talk(person, new Random(seed + i))));
        crowd._loops.AddRange(crowd._people.Select(crowd.Listen));
        return crowd;
    }

    /// <summary>Waits until so many more messages were acknowledged: the load goes on, whatever is being done to the server.</summary>
    public Task More(int messages)
    {
        var wanted = Acknowledged + messages;
        return RunningServer.Eventually($"{messages} more messages are acknowledged", () => Task.FromResult(Acknowledged >= wanted));
    }

    async Task Talk(Person person, Random random)
    {
        var last = new Dictionary<string, string>();
        while (!_talking.IsCancellationRequested)
        {
            var room = _rooms[random.Next(_rooms.Count)];
            var sent = await person.Send(room, Ct);
            last[room] = sent.EventId;
            _acknowledged.Enqueue(sent);
            if (random.Next(2) == 0) await person.Potter(room, last[room], random, Ct);
            await Task.Delay(random.Next(20, 120), _talking.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    async Task Listen(Person person)
    {
        while (!_reading.IsCancellationRequested) await person.Sync(_talking.IsCancellationRequested ? 200 : PollTimeout, Ct);
    }

    /// <summary>Ends the talk, lets everybody read to the end, and checks what each has seen.</summary>
    public async Task Audit()
    {
        await _talking.CancelAsync();
        await Task.WhenAll(_loops.Take(_people.Count));
        using var auditor = new Person(_server, "auditor-" + Guid.NewGuid().ToString("N")[..8], Trouble);
        await auditor.Register(Ct);
        foreach (var room in _rooms)
        {
            await auditor.Join(room, Ct);
            var told = await auditor.ReadAll(room, Ct);
            var bodies = told.Select(message => message.Body).ToList();
            Assert.Distinct(bodies);
            var acknowledged = _acknowledged.Where(message => message.Room == room).ToList();
            Assert.Empty(acknowledged.Select(message => (message.EventId, message.Sender, message.Body)).Except(told).Select(message => $"lost: {message}"));
            foreach (var sender in acknowledged.GroupBy(message => message.Sender))
                Assert.Equal(sender.Select(message => message.Body), told.Where(message => message.Sender == sender.Key).Select(message => message.Body));
            var ids = told.Select(message => message.EventId).ToList();
            foreach (var person in _people)
            {
                // whoever missed something because the server was away has paged back, and has all of it too
                await RunningServer.Eventually($"{person.UserId} has read {room} to the end", () => Task.FromResult(person.Seen[room].Count >= ids.Count && person.Seen[room][^1] == ids[^1]));
                Assert.Equal(ids, person.Seen[room]);
            }
        }
        await _reading.CancelAsync();
        await Task.WhenAll(_loops);
    }

    public async ValueTask DisposeAsync()
    {
        await _talking.CancelAsync();
        await _reading.CancelAsync();
        await Task.WhenAll(_loops).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var person in _people) person.Dispose();
        _talking.Dispose();
        _reading.Dispose();
        _ = _seed;
    }
}
