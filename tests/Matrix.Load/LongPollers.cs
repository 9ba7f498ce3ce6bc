using System.Diagnostics;
using System.Text;

namespace Matrix.Load;

/// <summary>Members of a room that wait for messages in long polls, as clients do.</summary>
sealed class LongPollers(HomeserverClient client, IReadOnlyList<User> users)
{
    const string Filter = """{"room":{"timeline":{"limit":50},"state":{"lazy_load_members":true}}}""";
    static readonly byte[] mark = "sent at "u8.ToArray();
    readonly string?[] _since = new string?[users.Count];
    long _delivered;

    /// <summary>What a message says: when it was sent.</summary>
    public static string Text() => $"sent at {Stopwatch.GetTimestamp()} ";

    public long Delivered => Interlocked.Read(ref _delivered);

    /// <summary>All wait, and count what arrives, while the action runs.</summary>
    public async Task While(Measurement measure, Func<Task> action)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(measure.Stop);
        await Crowd.Each(users.Count, async i => _since[i] = Next(await client.Sync(users[i], _since[i], 0, Filter, stop.Token)));
        Interlocked.Exchange(ref _delivered, 0);
        var polls = users.Select((_, i) => Poll(i, measure, stop.Token)).ToArray();
        try
        {
            await action();
        }
        finally
        {
            await stop.CancelAsync();
        }
        await Task.WhenAll(polls);
    }

    /// <summary>Waits until so many messages have arrived, counted over all who wait.</summary>
    public async Task WaitDelivered(long count, CancellationToken ct)
    {
        var started = Stopwatch.GetTimestamp();
        while (Delivered < count)
        {
            if (Stopwatch.GetElapsedTime(started) > TimeSpan.FromSeconds(30)) throw new LoadException($"Only {Delivered} of {count} messages arrived.");
            await Task.Delay(10, ct);
        }
    }

    async Task Poll(int i, Measurement measure, CancellationToken ct)
    {
        try
        {
            while (!ct.IsCancellationRequested)
            {
                var answer = await client.Sync(users[i], _since[i], 30_000, Filter, ct);
                Read(answer, measure);
                _since[i] = Next(answer);
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
        }
    }

    void Read(ReadOnlySpan<byte> answer, Measurement measure)
    {
        var now = Stopwatch.GetTimestamp();
        for (int at; (at = answer.IndexOf(mark)) >= 0;)
        {
            answer = answer[(at + mark.Length)..];
            var sent = long.Parse(Encoding.ASCII.GetString(answer[..answer.IndexOf((byte)' ')]), System.Globalization.CultureInfo.InvariantCulture);
            measure.Count(Stopwatch.GetElapsedTime(sent, now).TotalMilliseconds);
            Interlocked.Increment(ref _delivered);
        }
    }

    static string Next(byte[] answer) => HomeserverClient.Text(answer, "next_batch");
}
