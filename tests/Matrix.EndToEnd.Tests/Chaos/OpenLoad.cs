using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;

namespace Matrix.EndToEnd.Tests.Chaos;

/// <summary>What a load found.</summary>
public sealed record LoadResult(double Seconds, IReadOnlyList<double> AcceptedMs, int Refused, int RefusedInTime, IReadOnlyList<string> Failed)
{
    public double Rate => AcceptedMs.Count / Seconds;

    public double P95 => Percentile(0.95);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Rate:F0}/s accepted, p50 {Percentile(0.5):F0} ms, p95 {P95:F0} ms, p99 {Percentile(0.99):F0} ms; {Refused / Seconds:F0}/s refused, {Failed.Count} failed");

    double Percentile(double part) => AcceptedMs.Count == 0 ? 0 : AcceptedMs.Order().ElementAt((int)((AcceptedMs.Count - 1) * part));
}

/// <summary>People who send at a rate that does not heed the answers, as a crowd does; or one request after the other.</summary>
sealed class OpenLoad : IDisposable
{
    static readonly TimeSpan Early = TimeSpan.FromSeconds(1);
    readonly HttpClient _http;
    readonly List<(string Token, string Room)> _senders = [];
    int _transactions;

    public OpenLoad(Uri server) =>
        _http = new(new SocketsHttpHandler { MaxConnectionsPerServer = 4000, ConnectTimeout = TimeSpan.FromSeconds(20) }) { BaseAddress = server, Timeout = TimeSpan.FromSeconds(60) };

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async Task Prepare(Uri server, int people)
    {
        var trouble = new Trouble(TimeProvider.System);
        for (var i = 0; i < people; i++)
        {
            using var person = new Person(server, $"load-{Guid.NewGuid():N}", trouble);
            await person.Register(Ct);
            _senders.Add((person.Token, await person.CreateRoom(Ct)));
        }
    }

    /// <summary>So many at once, each sending again as soon as it was answered.</summary>
    public Task<LoadResult> Closed(int senders, TimeSpan time) => Measure(async (send, running) =>
        await Task.WhenAll(Enumerable.Range(0, senders).Select(async _ =>
        {
            while (running()) await send();
        })), time);

    /// <summary>So many a second, however many are still unanswered.</summary>
    public Task<LoadResult> Open(double rate, TimeSpan time) => Measure(async (send, running) =>
    {
        var began = TimeProvider.System.GetTimestamp();
        var sent = new List<Task>();
        while (running())
        {
            var due = (int)(TimeProvider.System.GetElapsedTime(began).TotalSeconds * rate);
            while (sent.Count < due) sent.Add(send());
            await Task.Delay(2, Ct);
        }
        await Task.WhenAll(sent);
    }, time);

    async Task<LoadResult> Measure(Func<Func<Task>, Func<bool>, Task> run, TimeSpan time)
    {
        var (accepted, failed) = (new ConcurrentQueue<double>(), new ConcurrentQueue<string>());
        var (refused, early) = (0, 0);
        var began = TimeProvider.System.GetTimestamp();
        await run(Send, () => TimeProvider.System.GetElapsedTime(began) < time);
        return new(time.TotalSeconds, [.. accepted], refused, early, [.. failed]);

        async Task Send()
        {
            var number = Interlocked.Increment(ref _transactions);
            var (token, room) = _senders[number % _senders.Count];
            using var request = new HttpRequestMessage(HttpMethod.Put, string.Create(CultureInfo.InvariantCulture, $"_matrix/client/v3/rooms/{Uri.EscapeDataString(room)}/send/m.room.message/t{number}"));
            request.Headers.Authorization = new("Bearer", token);
            request.Content = JsonContent.Create(new { msgtype = "m.text", body = "More than it can carry" });
            var started = TimeProvider.System.GetTimestamp();
            try
            {
                using var answer = await _http.SendAsync(request, Ct);
                var took = TimeProvider.System.GetElapsedTime(started);
                if (answer.IsSuccessStatusCode) accepted.Enqueue(took.TotalMilliseconds);
                else if (answer.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable && answer.Headers.RetryAfter is not null)
                {
                    Interlocked.Increment(ref refused);
                    if (took < Early) Interlocked.Increment(ref early);
                }
                else failed.Enqueue($"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync(Ct)}");
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !Ct.IsCancellationRequested)
            {
                failed.Enqueue($"{e.GetType().Name}: {e.Message}");
            }
        }
    }

    public void Dispose() => _http.Dispose();
}
