using System.Diagnostics.CodeAnalysis;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Storage.Rooms;
using Npgsql;

namespace Matrix.Rooms.Writing;

/// <summary>
/// What this process knows of a room's head, and which of its own changes of it are on their way. When one of these fails, those that were built on it
/// fail too, and whoever plans next reads the head again: a head counts only for the generation that it was made in.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A semaphore holds nothing unless somebody asks for its wait handle.")]
sealed class RoomPlace
{
    readonly Lock sync = new();
    readonly HashSet<long> own = [];
    Dictionary<TransactionId, Task<SentEvent>>? underway;
    Task? newest;
    RoomHead? head;
    LogPosition upTo;
    int generation;

    public SemaphoreSlim Gate { get; } = new(1);

    public RoomHead? Head
    {
        get
        {
            lock (sync)
                return head;
        }
    }

    /// <summary>Ends, whatever became of it, when what was handed over before is no longer on its way.</summary>
    public async ValueTask Settle(CancellationToken ct)
    {
        if (newest is { IsCompleted: false } underway)
            await underway.WaitAsync(ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        ct.ThrowIfCancellationRequested();
    }

    public int Generation
    {
        get
        {
            lock (sync)
                return generation;
        }
    }

    /// <summary>A head that was read without a seat, when the generation was this one.</summary>
    public void Offer(RoomHead read, int since)
    {
        lock (sync)
        {
            if (head is null && generation == since && newest is null or { IsCompleted: true })
                Read(read);
        }
    }

    public void Read(RoomHead read)
    {
        lock (sync)
        {
            head = read;
            upTo = Max(upTo, new LogPosition(read.Position));
        }
    }

    public void Forget()
    {
        lock (sync)
            Clear();
    }

    /// <summary>An event that is not of this process makes the head an old one.</summary>
    public void Hear(long eventNid, LogPosition position)
    {
        lock (sync)
        {
            if (!own.Remove(eventNid) && position > upTo)
                Clear();
            upTo = Max(upTo, position);
        }
    }

    public Task<SentEvent>? FindUnderway(TransactionId transaction)
    {
        lock (sync)
            return underway?.GetValueOrDefault(transaction);
    }

    /// <summary>Before the chain is handed over: the log may tell of it at once.</summary>
    public Flight Begin(EventChain chain)
    {
        lock (sync)
        {
            own.UnionWith(chain.Events.Select(e => e.EventNid));
            return new Flight(chain, generation);
        }
    }

    /// <summary>The chain has been handed over: the next one is built on it.</summary>
    public Task<SentEvent> Follow(Flight flight, Task<LogPosition> outcome, EventId eventId, TransactionId? transaction)
    {
        lock (sync)
        {
            if (generation == flight.Generation)
                head = flight.Chain.NextHead();
            var sent = Land(flight, outcome, eventId, transaction);
            if (transaction is { } txn)
                (underway ??= [])[txn] = sent;
            newest = sent;
            return sent;
        }
    }

    /// <summary>The chain is not and will not be stored.</summary>
    public void Fail(Flight flight)
    {
        lock (sync)
        {
            own.ExceptWith(flight.Chain.Events.Select(e => e.EventNid));
            if (generation == flight.Generation)
                Clear();
        }
    }

    async Task<SentEvent> Land(Flight flight, Task<LogPosition> outcome, EventId eventId, TransactionId? transaction)
    {
        try
        {
            // not at once, or it would be forgotten before it is remembered
            return new SentEvent(eventId, await outcome.ConfigureAwait(ConfigureAwaitOptions.ForceYielding));
        }
        catch (Exception e)
        {
            if (e is PostgresException { ConstraintName: AuthIndexRows.PlaceConstraint })
                flight.Chain.Contested();
            Fail(flight);
            throw;
        }
        finally
        {
            if (transaction is { } txn)
            {
                lock (sync)
                    underway?.Remove(txn);
            }
        }
    }

    void Clear()
    {
        head = null;
        generation++;
    }

    static LogPosition Max(LogPosition a, LogPosition b) => a > b ? a : b;

    /// <summary>A chain on its way to the log.</summary>
    public readonly record struct Flight(EventChain Chain, int Generation);
}
