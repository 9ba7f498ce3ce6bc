using System.Collections.Concurrent;
using System.Globalization;
using Matrix.Testing;

namespace Matrix.EndToEnd.Tests.Chaos;

/// <summary>
/// People who talk in some rooms all the time, each with a long poll, and guests of another server in the first room; and the auditor, who wrote down every
/// message that was acknowledged and asks at the end whether all of them are there once, in order, for everyone on either server.
/// </summary>
sealed class Crowd : IAsyncDisposable
{
    const int PollTimeout = 10_000, Guests = 2;
    readonly CancellationTokenSource _talking = new(), _reading = new();
    readonly ConcurrentQueue<Acknowledged> _acknowledged = new();
    readonly List<Person> _people = [], _guests = [];
    readonly List<string> _rooms = [];
    readonly List<Task> _talks = [], _polls = [];
    readonly RunningServer _server;
    readonly RunningServer? _elsewhere;

    Crowd(RunningServer server, RunningServer? elsewhere) => (_server, _elsewhere) = (server, elsewhere);

    public Trouble Trouble { get; } = new(TimeProvider.System);

    public int Acknowledged => _acknowledged.Count;

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <param name="elsewhere">Where the guests are at home.</param>
    public static async Task<Crowd> Begin(RunningServer server, int people, int rooms, int seed, RunningServer? elsewhere = null)
    {
        var crowd = new Crowd(server, elsewhere);
        var name = Guid.NewGuid().ToString("N")[..8];
        for (var i = 0; i < people; i++) crowd._people.Add(new Person(server.Url, string.Create(CultureInfo.InvariantCulture, $"{name}-{i}"), crowd.Trouble));
        for (var i = 0; elsewhere is not null && i < Guests; i++)
            crowd._guests.Add(new Person(elsewhere.Url, string.Create(CultureInfo.InvariantCulture, $"{name}-guest-{i}"), crowd.Trouble));
        await Task.WhenAll(crowd.Everybody.Select(person => person.Register(Ct)));
        for (var i = 0; i < rooms; i++) crowd._rooms.Add(await crowd._people[i % people].CreateRoom(Ct));
        foreach (var person in crowd._people)
            foreach (var room in crowd._rooms) await person.Join(room, null, Ct);
        foreach (var guest in crowd._guests) await guest.Join(crowd._rooms[0], server.Name, Ct);
        await Task.WhenAll(crowd.Everybody.Select(person => person.Sync(0, Ct)));
        crowd._talks.AddRange(crowd._people.Select((person, i) => crowd.Talk(person, crowd._rooms, new Random(seed + i))));
        crowd._talks.AddRange(crowd._guests.Select((guest, i) => crowd.Talk(guest, [crowd._rooms[0]], new Random(seed + people + i))));
        crowd._polls.AddRange(crowd.Everybody.Select(crowd.Listen));
        return crowd;
    }

    /// <summary>Waits until so many more messages were acknowledged: the load goes on, whatever is being done to the server.</summary>
    public Task More(int messages)
    {
        var wanted = Acknowledged + messages;
        return Eventually.True($"{messages} more messages are acknowledged", () => Acknowledged >= wanted);
    }

    IEnumerable<Person> Everybody => _people.Concat(_guests);

    async Task Talk(Person person, List<string> rooms, Random random)
    {
        var last = new Dictionary<string, string>();
        while (!_talking.IsCancellationRequested)
        {
            var room = rooms[random.Next(rooms.Count)];
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
        await Task.WhenAll(_talks);
        await Audit(_server, null, _rooms, _people);
        if (_elsewhere is not null) await Audit(_elsewhere, _server.Name, [_rooms[0]], _guests);
        await _reading.CancelAsync();
        await Task.WhenAll(_polls);
    }

    /// <summary>What somebody new is told, and what those who were there have seen. The two servers may order what both said at once differently.</summary>
    async Task Audit(RunningServer server, string? via, IReadOnlyList<string> rooms, IReadOnlyList<Person> people)
    {
        using var auditor = new Person(server.Url, "auditor-" + Guid.NewGuid().ToString("N")[..8], Trouble);
        await auditor.Register(Ct);
        foreach (var room in rooms)
        {
            await auditor.Join(room, via, Ct);
            var acknowledged = _acknowledged.Where(message => message.Room == room).ToList();
            var told = await auditor.ReadAll(room, Ct);
            // what was said on the other server is on its way
            for (var began = Trouble.Now; told.Count < acknowledged.Count && Trouble.Now - began < TimeSpan.FromSeconds(60); told = await auditor.ReadAll(room, Ct))
                await Task.Delay(500, Ct);
            Assert.Distinct(told.Select(message => message.Body));
            var lost = acknowledged.Select(message => (message.EventId, message.Sender, message.Body)).Except(told).Select(message => $"{message.Sender} {message.Body}").ToList();
            Assert.True(lost.Count == 0, $"{lost.Count} of {acknowledged.Count} lost on {(via is null ? "ours" : "theirs")}: {string.Join(", ", lost.Take(20))} … {lost.LastOrDefault()}");
            foreach (var sender in acknowledged.GroupBy(message => message.Sender))
                Assert.Equal(sender.Select(message => message.Body), told.Where(message => message.Sender == sender.Key).Select(message => message.Body));
            var ids = told.Select(message => message.EventId).ToList();
            foreach (var person in people)
            {
                // whoever missed something because the server was away has paged back, and has all of it too
                await Eventually.True($"{person.UserId} has read {room} to the end", () => person.Seen[room].Count >= ids.Count && person.Seen[room][^1] == ids[^1]);
                Assert.Equal(ids, person.Seen[room]);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _talking.CancelAsync();
        await _reading.CancelAsync();
        await Task.WhenAll([.. _talks, .. _polls]).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var person in Everybody) person.Dispose();
        _talking.Dispose();
        _reading.Dispose();
    }
}
