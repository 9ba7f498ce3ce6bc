using System.Diagnostics;
using System.Threading.Channels;
using MassTransit;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Matrix.Replication;

/// <summary>
/// Tells the other processes what this one has committed. Never holds up a commit: while the bus is slow the commits waiting to be told are
/// told together, and while it is away they are not told at all, because followers find out by themselves. A commit after a pause is told at once;
/// those that follow within <see cref="Gather"/> are told together, because waking a process costs as much for one entry as for many.
/// </summary>
public sealed partial class LogAnnouncer(IBus bus, BusState state, SharedPosition shared, TimeProvider time, ILogger<LogAnnouncer> logger) : BackgroundService
{
    /// <summary>A message with more entries than this is only a hint: followers read the entries.</summary>
    const int MaxEntries = 2000;

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(20);

    readonly Channel<(LogAdvanced Message, ActivityContext Committed)> _outbox = Channel.CreateBounded<(LogAdvanced, ActivityContext)>(
        new BoundedChannelOptions(1024) { SingleReader = true, FullMode = BoundedChannelFullMode.DropOldest });

    /// <param name="committed">The trace that the commit belongs to, if any.</param>
    public void Offer(LogAdvanced message, ActivityContext committed) => _outbox.Writer.TryWrite((message, committed));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (await _outbox.Reader.WaitToReadAsync(stoppingToken))
            {
                await Announce();
                await Task.Delay(Gather, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            await Announce(); // the writer has stopped before: this is the last
        }
    }

    async Task Announce()
    {
        while (_outbox.Reader.TryRead(out var first))
        {
            var (message, committed) = TakeFollowing(first);
            using (LogTracing.Announce(committed))
                await Publish(message);
            await shared.Store(message.To);
        }
    }

    (LogAdvanced, ActivityContext) TakeFollowing((LogAdvanced, ActivityContext) first)
    {
        var (message, committed) = first;
        List<LogEntry>? entries = null;
        while (_outbox.Reader.TryPeek(out var next) && next.Message.From == message.To && message.Entries.Count + next.Message.Entries.Count <= MaxEntries
            && _outbox.Reader.TryRead(out _))
        {
            entries ??= [.. message.Entries];
            entries.AddRange(next.Message.Entries);
            message = new LogAdvanced(message.From, next.Message.To, entries);
            committed = LogTracing.IsTraced(committed) ? committed : next.Committed;
        }
        return (message.Entries.Count <= MaxEntries ? message : message with { Entries = [] }, committed);
    }

    async Task Publish(LogAdvanced message)
    {
        if (!state.IsConnected)
            return;
        using var patience = new CancellationTokenSource(Patience, time);
        try
        {
            await bus.Publish(message, context => context.Durable = false, patience.Token);
            if (LogCall.IsFor(message))
                await bus.Publish(new LogCall(message.To), context => context.Durable = false, patience.Token);
        }
        catch (Exception e)
        {
            NotAnnounced(message.To, e.Message); // whatever the transport throws: the log goes on without it
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The log's advance to {Position} was not announced: {Reason}")]
    partial void NotAnnounced(LogPosition position, string reason);
}
