using Matrix.Hosting.Overload;
using Matrix.Http;
using Matrix.Storage;
using Microsoft.Extensions.Options;

namespace Matrix.ClientApi.Sync;

/// <summary>
/// Turns for answers that hold everything, each of which is worth hundreds of others: a few are put together at once, and the rest wait here before they
/// take a connection to the database, so that a thousand clients that begin at once leave room for all others. Users take turns, however often each asks.
/// </summary>
sealed class FirstSyncs(FirstSyncOptions options, IOptions<DatabaseOptions> database, TimeProvider time)
{
    static readonly TimeSpan ComeBackAfter = TimeSpan.FromSeconds(5);

    readonly Lock gate = new();
    readonly Dictionary<string, Queue<TaskCompletionSource>> waiting = new(StringComparer.Ordinal);
    readonly Queue<string> turns = new(); // each user who waits, once
    readonly int most = options.Concurrent > 0 ? options.Concurrent : Math.Max(1, database.Value.CpMax / 2);
    int working;
    int places;

    /// <summary>Waits for the user's turn, which lasts until what is returned is disposed of.</summary>
    /// <exception cref="MatrixException">429: too many wait, or it took too long.</exception>
    public async ValueTask<IDisposable> Begin(string userId, CancellationToken ct)
    {
        var place = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (gate)
        {
            if (working < most)
            {
                working++;
                return new Turn(this);
            }
            if (places >= options.MostWaiting)
                throw MatrixException.LimitExceeded(ComeBackAfter);
            Add(userId, place);
        }
        Work.OnlyWaits();
        try
        {
            await place.Task.WaitAsync(options.Patience, time, ct);
            return new Turn(this);
        }
        catch (TimeoutException)
        {
            GiveUp(userId, place);
            throw MatrixException.LimitExceeded(ComeBackAfter);
        }
        catch (OperationCanceledException)
        {
            GiveUp(userId, place);
            throw;
        }
    }

    void Add(string userId, TaskCompletionSource place)
    {
        places++;
        if (!waiting.TryGetValue(userId, out var own))
        {
            waiting.Add(userId, own = new Queue<TaskCompletionSource>());
            turns.Enqueue(userId);
        }
        own.Enqueue(place);
    }

    void GiveUp(string userId, TaskCompletionSource place)
    {
        lock (gate)
        {
            if (!place.TrySetCanceled()) // it had just been given its turn
            {
                Leave();
                return;
            }
            places--;
            waiting[userId] = new Queue<TaskCompletionSource>(waiting[userId].Where(other => other != place));
        }
    }

    void End()
    {
        lock (gate)
            Leave();
    }

    void Leave()
    {
        working--;
        while (working < most && turns.TryDequeue(out var userId))
        {
            var own = waiting[userId];
            if (own.TryDequeue(out var next))
            {
                places--;
                working++;
                next.SetResult();
            }
            if (own.Count > 0)
                turns.Enqueue(userId);
            else
                waiting.Remove(userId);
        }
    }

    sealed class Turn(FirstSyncs turns) : IDisposable
    {
        int isOver;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref isOver, 1) == 0)
                turns.End();
        }
    }
}
