using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Matrix.EndToEnd.Tests.Chaos;

/// <summary>What a load found. Lateness is the load's own: how long after its time a request was sent because this process or the machine was busy.</summary>
/// <param name="RefusedAt">Seconds from the beginning.</param>
public sealed record LoadResult(
    double Seconds, IReadOnlyList<double> AcceptedMs, IReadOnlyList<double> RefusedMs, IReadOnlyList<double> RefusedAt, IReadOnlyList<double> LateMs, int Connections, IReadOnlyList<string> Failed)
{
    const double EarlyMs = 1000;

    public double Rate => AcceptedMs.Count / Seconds;

    public double P95 => Percentile(AcceptedMs, 0.95);

    public int Refused => RefusedMs.Count;

    public int RefusedInTime => RefusedMs.Count(ms => ms < EarlyMs);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Rate:F0}/s accepted, p50 {Percentile(AcceptedMs, 0.5):F0} ms, p95 {P95:F0} ms, p99 {Percentile(AcceptedMs, 0.99):F0} ms; {Refused / Seconds:F0}/s refused in {RefusedAt.Select(at => (int)(at * 10)).Distinct().Count()} tenths of a second, p95 {Percentile(RefusedMs, 0.95):F0} ms; " +
        $"{Failed.Count} failed; {Connections} connections; sent {Percentile(LateMs, 0.95):F0} ms late (p95)");

    static double Percentile(IReadOnlyList<double> all, double part) => all.Count == 0 ? 0 : all.Order().ElementAt((int)((all.Count - 1) * part));
}

/// <summary>People who send at a rate that does not heed the answers, as a crowd does; or one request after the other.</summary>
sealed class OpenLoad(Uri server) : IDisposable
{
    const int MostConnections = 4000;
    readonly List<(string Token, string Room)> _senders = [];
    readonly ConcurrentStack<LoadConnection> _free = new();
    readonly string _name = Guid.NewGuid().ToString("N")[..8];
    int _transactions, _connections;

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async Task Prepare(int people)
    {
        var trouble = new Trouble(TimeProvider.System);
        for (var i = 0; i < people; i++)
        {
            using var person = new Person(server, $"load-{_name}-{i}", trouble);
            await person.Register(Ct);
            _senders.Add((person.Token, Uri.EscapeDataString(await person.CreateRoom(Ct))));
        }
    }

    /// <summary>So many at once, each sending again as soon as it was answered.</summary>
    public Task<LoadResult> Closed(int senders, TimeSpan time) => Measure(async (send, running, _) =>
        await Task.WhenAll(Enumerable.Range(0, senders).Select(async _ =>
        {
            while (running()) await send();
        })), time);

    /// <summary>So many a second, however many are still unanswered.</summary>
    public Task<LoadResult> Open(double rate, TimeSpan time) => Measure(async (send, running, late) =>
    {
        var began = TimeProvider.System.GetTimestamp();
        var sent = new List<Task>();
        while (running())
        {
            var now = TimeProvider.System.GetElapsedTime(began).TotalSeconds;
            while (sent.Count < (int)(now * rate))
            {
                late.Enqueue((now - (sent.Count + 1) / rate) * 1000);
                sent.Add(send());
            }
            await Task.Delay(1, Ct);
        }
        await Task.WhenAll(sent);
    }, time);

    async Task<LoadResult> Measure(Func<Func<Task>, Func<bool>, ConcurrentQueue<double>, Task> run, TimeSpan time)
    {
        var (accepted, refused, late, failed) = (new ConcurrentQueue<double>(), new ConcurrentQueue<(double Ms, double At)>(), new ConcurrentQueue<double>(), new ConcurrentQueue<string>());
        var began = TimeProvider.System.GetTimestamp();
        await run(Send, () => TimeProvider.System.GetElapsedTime(began) < time, late);
        return new(time.TotalSeconds, [.. accepted], [.. refused.Select(one => one.Ms)], [.. refused.Select(one => one.At)], [.. late], _connections, [.. failed]);

        async Task Send()
        {
            var request = Request(Interlocked.Increment(ref _transactions));
            var started = TimeProvider.System.GetTimestamp();
            LoadConnection? connection = null;
            try
            {
                connection = await Connection();
                var (status, saysWhen) = await connection.Exchange(request, Ct);
                var took = TimeProvider.System.GetElapsedTime(started).TotalMilliseconds;
                _free.Push(connection);
                if (status == 200) accepted.Enqueue(took);
                else if (status is 429 or 503 && saysWhen) refused.Enqueue((took, TimeProvider.System.GetElapsedTime(began).TotalSeconds));
                else failed.Enqueue($"{status}");
            }
            catch (Exception e) when (e is SocketException or IOException)
            {
                Interlocked.Decrement(ref _connections);
                connection?.Dispose();
                failed.Enqueue($"{e.GetType().Name}: {e.Message}");
            }
        }
    }

    // people keep their connections; who finds none free comes with another
    async Task<LoadConnection> Connection()
    {
        if (_free.TryPop(out var free)) return free;
        if (Interlocked.Increment(ref _connections) > MostConnections) throw new IOException($"More than {MostConnections} requests are unanswered.");
        return await LoadConnection.Open(server, Ct);
    }

    byte[] Request(int number)
    {
        var (token, room) = _senders[number % _senders.Count];
        const string Body = """{"msgtype":"m.text","body":"More than it can carry"}""";
        return Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture,
            $"PUT /_matrix/client/v3/rooms/{room}/send/m.room.message/t{number} HTTP/1.1\r\nHost: {server.Authority}\r\nAuthorization: Bearer {token}\r\nContent-Length: {Body.Length}\r\n\r\n{Body}"));
    }

    public void Dispose()
    {
        while (_free.TryPop(out var connection)) connection.Dispose();
    }
}
