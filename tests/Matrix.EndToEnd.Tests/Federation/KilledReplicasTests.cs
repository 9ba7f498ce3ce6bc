using System.Globalization;
using Matrix.Testing;
using Matrix.Testing.Servers;

namespace Matrix.EndToEnd.Tests.Federation;

/// <summary>
/// Replicas of the services that speak with other servers are killed with -9 in the middle of their work: nothing is lost, nothing comes twice, and it goes on.
/// MATRIX_TEST_CHAOS=long does it more often, and wants it to go on within 10 s, which asks for a quiet machine.
/// </summary>
[Collection("end to end")]
public sealed class KilledReplicasTests(FederatedHomes homes, ITestOutputHelper output)
{
    static readonly bool s_isLong = Environment.GetEnvironmentVariable("MATRIX_TEST_CHAOS") == "long";

    static readonly HttpClient s_http = new() { Timeout = TimeSpan.FromSeconds(10) };

    [Fact]
    public async Task Nothing_is_lost_or_doubled_when_a_reader_dies_over_transactions_and_a_sender_over_what_an_outage_left()
    {
        var (whole, split) = await homes.Get(FederatedHomes.Whole, FederatedHomes.Split);
        var (alice, bob) = (await whole.NewUser("alice"), await split.NewUser("bob"));
        string[] rooms = [await alice.RoomWith(bob), await alice.RoomWith(bob), await alice.RoomWith(bob)];
        await using var heardByAlice = await Listener.Begin(alice, rooms);
        await using var heardByBob = await Listener.Begin(bob, rooms);
        for (var round = 0; round < (s_isLong ? 5 : 1); round++)
        {
            // an outage leaves more than fits into a few transactions
            homes.ToWhole.GoAway();
            var outs = await SayMany(bob, rooms, $"out {round}", 300);
            var sender = await Busiest(split.Server, "federation-sender", "matrix_federation_destinations_failing");
            homes.ToWhole.ComeBack();
            var held = homes.ToWhole.HoldAfter(100_000);
            // what comes in from there ends the outage
            await Task.WhenAll(KillReader(alice, rooms, $"in {round}", split.Server, heardByBob), KillSender(sender, held, split.Server, heardByAlice, outs));
        }
        heardByAlice.AssertOnce();
        heardByBob.AssertOnce();
    }

    async Task KillReader(User alice, string[] rooms, string what, RunningServer split, Listener heardByBob)
    {
        var talking = SayMany(alice, rooms, what, 150);
        await heardByBob.Until(bodies => bodies.Any(body => body.StartsWith(what, StringComparison.Ordinal)), what);
        var killed = split.Kill(await Busiest(split, "federation-reader", "http_server_request_duration_seconds_count", "/send/"));
        var died = TimeProvider.System.GetTimestamp();
        var late = $"{what}, after the kill";
        await alice.Say(rooms[0], late);
        await heardByBob.Until(bodies => bodies.Contains(late), late);
        Took("from a reader's death until what was said then had arrived", died);
        var said = await talking;
        await heardByBob.Until(bodies => said.All(bodies.Contains), "all that alice said");
        await split.WaitReplaced(killed);
    }

    async Task KillSender(string sender, Task held, RunningServer split, Listener heardByAlice, IReadOnlyList<string> outs)
    {
        await held.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        var killed = split.Kill(sender);
        var died = TimeProvider.System.GetTimestamp();
        homes.ToWhole.ComeBack();
        await heardByAlice.Until(bodies => outs.All(bodies.Contains), "all that bob said");
        Took("from a sender's death in the middle of catching up until all had arrived", died);
        await split.WaitReplaced(killed);
    }

    void Took(string what, long since)
    {
        var took = TimeProvider.System.GetElapsedTime(since);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: {took.TotalSeconds:F1} s"));
        Assert.True(took < TimeSpan.FromSeconds(s_isLong ? 10 : 50), $"{what}: {took}");
    }

    static async Task<List<string>> SayMany(User user, string[] rooms, string what, int count)
    {
        string[] bodies = [.. Enumerable.Range(0, count).Select(i => $"{what}: {i.ToString(CultureInfo.InvariantCulture)}")];
        await Task.WhenAll(bodies.Chunk(count / 6).Select(async (some, i) =>
        {
            foreach (var body in some)
                await user.Say(rooms[i % rooms.Length], body);
        }));
        return [.. bodies];
    }

    /// <summary>The replica whose metric is greatest, once one has it.</summary>
    static async Task<string> Busiest(RunningServer server, string service, string metric, string label = "")
    {
        (string Name, double Value) busiest = ("", 0);
        await Eventually.True($"a {service} has {metric}", async () =>
        {
            foreach (var replica in server.Processes().Where(process => process.Name.StartsWith(service, StringComparison.Ordinal)))
            {
                var value = (await s_http.GetStringAsync(new Uri(replica.Address + "/metrics"), TestContext.Current.CancellationToken)).Split('\n')
                    .Where(line => line.StartsWith(metric, StringComparison.Ordinal) && line.Contains(label, StringComparison.Ordinal))
                    .Sum(line => double.Parse(line[(line.IndexOf('}', StringComparison.Ordinal) + 1)..].Trim().Split(' ')[^1], CultureInfo.InvariantCulture));
                if (value > busiest.Value)
                    busiest = (replica.Name, value);
            }
            return busiest.Value > 0;
        });
        return busiest.Name;
    }

    /// <summary>Syncs on and on, and keeps what was said in the rooms since it began, each as often as it came.</summary>
    sealed class Listener : IAsyncDisposable
    {
        static readonly object s_filter = new { room = new { timeline = new { limit = 1000 } }, presence = new { limit = 0 } };

        readonly CancellationTokenSource _ending = new();
        readonly Lock _gate = new();
        readonly List<(string EventId, string Body)> _heard = [];
        Task _listening = Task.CompletedTask;

        public static async Task<Listener> Begin(User user, string[] rooms)
        {
            var listener = new Listener();
            var since = (await user.Sync()).NextBatch;
            listener._listening = listener.Listen(user, rooms, since);
            return listener;
        }

        public Task Until(Func<IReadOnlySet<string>, bool> arrived, string what) => Eventually.True($"heard: {what}", () =>
        {
            if (_listening.IsFaulted)
                throw _listening.Exception;
            lock (_gate)
                return arrived(_heard.Select(message => message.Body).ToHashSet());
        });

        public void AssertOnce()
        {
            lock (_gate)
            {
                Assert.Distinct(_heard.Select(message => message.EventId));
                Assert.Distinct(_heard.Select(message => message.Body));
            }
        }

        public async ValueTask DisposeAsync()
        {
            await _ending.CancelAsync();
            await _listening;
            _ending.Dispose();
        }

        async Task Listen(User user, string[] rooms, string since)
        {
            while (!_ending.IsCancellationRequested)
            {
                var sync = await user.Sync(since, 500, s_filter);
                since = sync.NextBatch;
                lock (_gate)
                {
                    foreach (var room in rooms)
                    {
                        Assert.NotEqual(true, sync.Joined(room)?.Find("timeline.limited")?.GetBoolean());
                        _heard.AddRange(sync.Timeline(room).Where(e => e.String("type") == "m.room.message").Select(e => (e.String("event_id"), e.String("content.body"))));
                    }
                }
            }
        }
    }
}
