using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Matrix.Load.Scenarios;

/// <summary>
/// Users who come and go: they share rooms of 20, each changes its presence every 30 seconds, and two of each room follow in long polls. One operation is one
/// change; what the followers are told of it is part of it.
/// </summary>
static class Presence
{
    const int RoomOf = 20, Followers = 2, Every = 30, Workers = 8;

    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("presence", "a change of presence, 400 users", (crowd, ct) => Toggling(crowd, 400, ct)),
        new("presence-10000", "a change of presence, 10,000 users", (crowd, ct) => Toggling(crowd, 10_000, ct)) { IsLong = true },
    ];

    static async Task<Func<Measurement, Task>> Toggling(Crowd crowd, int count, CancellationToken ct)
    {
        var users = await crowd.NewUsers(crowd.Size(count), ct);
        var rooms = users.Chunk(RoomOf).ToList();
        await Crowd.Each(rooms.Count, i => crowd.Room(rooms[i], ct));
        var watch = new Watch(crowd.Client, [.. rooms.SelectMany(members => members.Take(Followers))]);
        var next = 0;
        return async measure =>
        {
            var begun = await watch.Begin(measure.Stop);
            var perSecond = Math.Max(1.0, (double)users.Count / Every);
            var most = (int)Math.Ceiling(measure.Duration.TotalSeconds * perSecond);
            var changes = -1;
            await measure.Begin();
            var begin = Stopwatch.GetTimestamp();
            // at this pace, or as fast as the server can
            await Task.WhenAll(Enumerable.Range(0, Workers).Select(async _ =>
            {
                for (int change; (change = Interlocked.Increment(ref changes)) < most;)
                {
                    if (TimeSpan.FromSeconds(change / perSecond) - Stopwatch.GetElapsedTime(begin) is { Ticks: > 0 } early)
                        await Task.Delay(early, measure.Stop);
                    var number = next + change;
                    await measure.Timed(() => crowd.Client.SetPresence(
                        users[number % users.Count], number / users.Count % 2 == 0 ? "online" : "unavailable", measure.Stop));
                }
            }));
            next += most;
            measure.End();
            var (answers, told) = await watch.End(begun);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"  {most} changes, {Followers} followers each: {told} were told them, in {answers} answers ({(double)told / Math.Max(1, answers):0.0} an answer)"));
        };
    }

    /// <summary>Long polls that count what they are told of others' presence.</summary>
    sealed class Watch(HomeserverClient client, IReadOnlyList<User> users)
    {
        const string Filter = """{"room":{"timeline":{"limit":1},"state":{"lazy_load_members":true}}}""";
        readonly string?[] _since = new string?[users.Count];
        long _answers;
        long _told;

        public async Task<(CancellationTokenSource Stop, Task Polls)> Begin(CancellationToken ct)
        {
            var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
            await Crowd.Each(users.Count, async i => _since[i] = HomeserverClient.Text(await client.Sync(users[i], _since[i], 0, Filter, ct), "next_batch"));
            (_answers, _told) = (0, 0);
            return (stop, Task.WhenAll(users.Select((_, i) => Poll(i, stop.Token))));
        }

        public async Task<(long Answers, long Told)> End((CancellationTokenSource Stop, Task Polls) begun)
        {
            await begun.Stop.CancelAsync();
            await begun.Polls;
            begun.Stop.Dispose();
            return (_answers, _told);
        }

        async Task Poll(int i, CancellationToken ct)
        {
            try
            {
                while (true)
                {
                    var answer = await client.Sync(users[i], _since[i], 30_000, Filter, ct);
                    _since[i] = HomeserverClient.Text(answer, "next_batch");
                    if (Encoding.UTF8.GetString(answer).Split("\"m.presence\"").Length - 1 is > 0 and var told)
                    {
                        Interlocked.Increment(ref _answers);
                        Interlocked.Add(ref _told, told);
                    }
                }
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
            }
        }
    }
}
