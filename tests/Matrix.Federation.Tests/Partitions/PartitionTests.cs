using System.Globalization;
using System.Net;

namespace Matrix.Federation.Tests.Partitions;

/// <summary>
/// Three servers are cut apart in pairs while their users change powers, ban, rename and talk; afterwards all have the same events and the same state.
/// MATRIX_TEST_PARTITIONS sets the number of random runs, and MATRIX_TEST_SEED the first one's seed.
/// </summary>
public abstract class PartitionRuns(PartitionedServers servers)
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    static readonly string[] Versions = ["10", "11", "12"];

    public static TheoryData<int> Seeds()
    {
        var first = Read("MATRIX_TEST_SEED", Random.Shared.Next(1_000_000));
        return [.. Enumerable.Range(first, Read("MATRIX_TEST_PARTITIONS", 3))];
    }

    private protected async Task Run(int seed)
    {
        var random = new Random(seed);
        var people = await Task.WhenAll(Enumerable.Range(0, 6).Select(async i => new Person(await servers.All[i % 3].NewUser(), i % 3) { IsSteward = i < 3 }));
        var stewards = people[..3];
        var room = await Meet(people, Versions[random.Next(Versions.Length)]);
        servers.AssertSeparable();
        var before = await servers.All[0].EventsOf(room); // others need not have what was before they came
        for (var round = 0; round < 3; round++)
        {
            foreach (var (one, other) in new[] { (0, 1), (0, 2), (1, 2) })
            {
                if (random.Next(3) > 0)
                    servers.Cut(one, other);
            }
            for (var step = 0; step < 8; step++)
                await DoSomething(random, people, room);
            servers.Heal();
            foreach (var steward in stewards)
                await steward.User.Say(room, "can you hear me?"); // by which each learns what it has missed
            await Agree(stewards, room, before, $"seed {seed}, round {round}");
        }
    }

    /// <summary>A room in which there are all; those of each server's first user that did not make it have as much power as they can be given.</summary>
    static async Task<string> Meet(Person[] people, string version)
    {
        var alice = people[0].User;
        var room = await alice.CreateRoom(new { preset = "public_chat", room_version = version });
        foreach (var person in people.Skip(1))
            await person.Join(room, people[0]);
        var powers = new Dictionary<string, object?>();
        foreach (var (name, value) in (await alice.GetState(room, "m.room.power_levels")).EnumerateObject().Select(p => (p.Name, p.Value)))
            powers[name] = value;
        var users = people.Where(p => p.IsSteward || p.Server == 1).Where(p => p != people[0]).ToDictionary(p => p.User.UserId, p => p.IsSteward ? 99 : 50);
        if (version != "12")
            users[alice.UserId] = 100;
        powers["users"] = users;
        await alice.SetState(room, "m.room.power_levels", powers);
        return room;
    }

    static async Task DoSomething(Random random, Person[] people, string room)
    {
        var actor = people[random.Next(people.Length)].User;
        var target = people[3 + random.Next(3)].User; // stewards stay, so that each server does
        var path = $"/_matrix/client/v3/rooms/{ApiClient.Esc(room)}";
        var word = random.Next(1000).ToString(CultureInfo.InvariantCulture);
        var reply = random.Next(9) switch
        {
            0 or 1 => await actor.TrySend(room, "m.room.message", User.Text(word)),
            2 => await actor.TrySetState(room, "m.room.name", new { name = word }),
            3 => await actor.TrySetState(room, "m.room.topic", new { topic = word }),
            4 => await actor.Post($"{path}/ban", new { user_id = target.UserId, reason = word }),
            5 => await actor.Post($"{path}/unban", new { user_id = target.UserId }),
            6 => await actor.Post($"{path}/kick", new { user_id = target.UserId }),
            7 => await target.Post($"{path}/join", new { }),
            _ => await ChangePower(actor, target, room, random.Next(0, 4) * 25),
        };
        // what the rules forbid is refused; nothing else goes wrong
        Assert.True(reply.Status is HttpStatusCode.OK or HttpStatusCode.Forbidden or HttpStatusCode.BadRequest or HttpStatusCode.BadGateway, reply.ToString());
    }

    static async Task<Reply> ChangePower(User actor, User target, string room, int level)
    {
        var reply = await actor.Get($"/_matrix/client/v3/rooms/{ApiClient.Esc(room)}/state/m.room.power_levels/");
        if (reply.Status != HttpStatusCode.OK)
            return reply;
        var powers = reply.Json.EnumerateObject().ToDictionary(p => p.Name, p => (object)p.Value);
        var users = reply["users"].EnumerateObject().ToDictionary(p => p.Name, p => (object)p.Value);
        users[target.UserId] = level;
        powers["users"] = users;
        return await actor.TrySetState(room, "m.room.power_levels", powers);
    }

    async Task Agree(Person[] stewards, string room, IReadOnlySet<string> before, string when)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var events = await Task.WhenAll(servers.All.Select(server => server.EventsOf(room)));
            foreach (var own in events)
                own.ExceptWith(before);
            var states = await Task.WhenAll(stewards.Select(steward => StateOf(steward.User, room)));
            if (events.All(events[0].SetEquals) && states.All(states[0].SetEquals))
                return;
            Assert.True(TimeProvider.System.GetElapsedTime(began) < Patience, $"{when}: {Differences(events, states)}");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    static async Task<SortedSet<string>> StateOf(User user, string room)
    {
        var state = (await user.Get($"/_matrix/client/v3/rooms/{ApiClient.Esc(room)}/state")).Ok().Json;
        return new SortedSet<string>(state.EnumerateArray().Select(e => $"{e.String("type")} {e.String("state_key")} {e.String("event_id")}"), StringComparer.Ordinal);
    }

    static string Differences(SortedSet<string>[] events, SortedSet<string>[] states)
    {
        var lacks = string.Join("; ", events.Select((own, i) => $"server {i} lacks {string.Join(' ', events.SelectMany(e => e).Distinct().Except(own))}"));
        var differs = string.Join("; ", states.Select((own, i) => $"server {i} alone has {string.Join(", ", own.Where(e => !states.All(s => s.Contains(e))))}"));
        return $"events: {lacks}. State: {differs}.";
    }

    static int Read(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : otherwise;

    sealed record Person(User User, int Server)
    {
        public bool IsSteward { get; init; }

        public async Task Join(string room, Person host) =>
            (await User.Post($"/_matrix/client/v3/join/{ApiClient.Esc(room)}?via={ApiClient.Esc(host.User.UserId[(host.User.UserId.IndexOf(':', StringComparison.Ordinal) + 1)..])}", new { })).Ok();
    }
}

/// <summary>Among three servers of ours.</summary>
public sealed class PartitionTests(OwnServers servers) : PartitionRuns(servers), IClassFixture<OwnServers>
{
    [Theory, MemberData(nameof(Seeds), MemberType = typeof(PartitionRuns))]
    public Task Servers_that_were_cut_apart_agree_afterwards(int seed) => Run(seed);
}

/// <summary>Among two of ours and a Synapse.</summary>
public sealed class PeerPartitionTests(ServersWithPeer servers) : PartitionRuns(servers), IClassFixture<ServersWithPeer>
{
    public static TheoryData<int> PeerSeeds() => SynapsePeer.IsThere ? Seeds() : [0];

    [Theory, MemberData(nameof(PeerSeeds))]
    public Task Two_of_ours_and_another_that_were_cut_apart_agree_afterwards(int seed)
    {
        Assert.SkipUnless(SynapsePeer.IsThere, SynapsePeer.Missing);
        return Run(seed);
    }
}
