using System.Text.Json;
using System.Threading.Channels;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms;
using Matrix.Storage.Rooms;

namespace Matrix.ClientApi.Delayed;

/// <summary>
/// Sends the delayed events that are due. One replica does it, and another takes over within seconds; what was claimed by one that died is sent again under
/// the same transaction id, which gives the event of the first time if there was one. It sleeps until the next is due, but no longer than
/// <see cref="LongestPause"/>: whoever schedules something for an earlier moment says so.
/// </summary>
sealed partial class DelayedEventSender(
    DelayedEventStore store, DelayedEvents events, EphemeralChannel channel, Leases leases, TimeProvider time, ILogger<DelayedEventSender> log) : BackgroundService
{
    /// <summary>How long the process that sends may not look for what is due. Something scheduled for sooner is told of with <see cref="Soon"/>.</summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    /// <summary>What the processes tell each other when something is due soon.</summary>
    public static readonly ReadOnlyMemory<byte> Soon = "{\"Kind\":\"delayed\"}"u8.ToArray();

    const int AtOnce = 50, Forgotten = 500;

    static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(10), Pause = TimeSpan.FromMilliseconds(200), TakeoverAfter = TimeSpan.FromSeconds(5), Abandoned = TimeSpan.FromSeconds(30),
        KeptFor = TimeSpan.FromDays(7), ForgetEvery = TimeSpan.FromHours(1);

    // one piece of news does for all; a process that does not send keeps it until it does
    readonly Channel<bool> soon = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    protected override Task ExecuteAsync(CancellationToken stoppingToken)
    {
        channel.Subscribe(news =>
        {
            if (news.Span.SequenceEqual(Soon.Span)) soon.Writer.TryWrite(true);
        });
        return leases.Hold("delayed-events", TakeoverAfter, (_, ct) => SendDue(ct), stoppingToken);
    }

    async Task SendDue(CancellationToken ct)
    {
        // nobody else holds the lease: what is claimed now was claimed by one that died
        var abandoned = TimeSpan.FromSeconds(2);
        var forgotten = time.GetTimestamp();
        while (true)
        {
            var due = await store.ClaimDue(AtOnce, abandoned, ct);
            abandoned = Abandoned;
            await Parallel.ForEachAsync(Chains(due), new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = ct }, SendInOrder);
            if (due.Count == AtOnce)
                continue;
            if (time.GetElapsedTime(forgotten) > ForgetEvery)
            {
                while (await store.DeleteFinalised(KeptFor, Forgotten, ct) == Forgotten) await Task.Delay(Pause, time, ct);
                forgotten = time.GetTimestamp();
            }
            await Sleep(ct);
        }
    }

    async Task Sleep(CancellationToken ct)
    {
        var next = await store.FindNext(Abandoned, ct) ?? LongestPause;
        using var pause = new CancellationTokenSource(next < Shortest ? Shortest : next < LongestPause ? next : LongestPause, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(pause.Token, ct);
        await ((Task)soon.Reader.WaitToReadAsync(either.Token).AsTask()).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        soon.Reader.TryRead(out _);
        ct.ThrowIfCancellationRequested();
    }

    // the events of a room go one after the other, in the order of their times
    static IEnumerable<IReadOnlyList<DelayedEvent>> Chains(IReadOnlyList<DelayedEvent> due) =>
        due.GroupBy(e => e.RoomId).Select(room => (IReadOnlyList<DelayedEvent>)[.. room.OrderBy(e => e.DueAt)]);

    async ValueTask SendInOrder(IReadOnlyList<DelayedEvent> events, CancellationToken ct)
    {
        foreach (var e in events)
            await Send(e, ct);
    }

    async Task Send(DelayedEvent e, CancellationToken ct)
    {
        try
        {
            await events.Deliver(e, ct);
        }
        catch (Exception refusal) when (refusal is IMatrixError { Status: < 500 } and not OperationCanceledException)
        {
            var error = (IMatrixError)refusal;
            NotSent(e.Type, e.UserId, e.RoomId, refusal.Message);
            await store.Finalise(e.DelayId, null, JsonSerializer.Serialize(new { errcode = error.Errcode, error = refusal.Message }), ct);
        }
        catch (RoomException busy)
        {
            // the room had no place for it now: its claim is taken up again
            NotSent(e.Type, e.UserId, e.RoomId, busy.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The delayed {Type} of {UserId} could not be sent to {RoomId}: {Reason}")]
    partial void NotSent(string type, UserId userId, RoomId roomId, string reason);
}
