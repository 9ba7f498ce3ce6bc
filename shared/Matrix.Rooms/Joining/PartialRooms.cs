using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Joining;

/// <summary>
/// Rooms whose members are not known yet (docs/adr/0028). Postgres says which they are. What a process remembers, from the log, only ever says that it need not ask:
/// a room that is partial here is looked up before anything is made of that.
/// </summary>
public sealed class PartialRooms : IDisposable
{
    /// <summary>The key of the entry <see cref="LogKind.StateMerge"/> by which a room becomes partial, or is whole.</summary>
    internal const string Begun = "partial", Whole = "whole";

    /// <summary>As long as a request may wait.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(250);

    /// <summary>How long a rolling upgrade may take.</summary>
    static readonly TimeSpan Upgrade = TimeSpan.FromHours(1);

    readonly PartialRoomStore store;
    readonly LogFollower follower;
    readonly TimeProvider time;
    readonly IDisposable subscription;
    readonly Lock sync = new();
    readonly HashSet<long> rooms = [];
    readonly List<(long RoomNid, bool IsPartial)> heard = [];
    TaskCompletionSource news = new(TaskCreationOptions.RunContinuationsAsynchronously);
    Task? loading;
    int changes;
    volatile bool isLoaded, areKnownToAll;

    public PartialRooms(PartialRoomStore store, LogFollower follower, TimeProvider time)
    {
        (this.store, this.follower, this.time) = (store, follower, time);
        subscription = follower.Subscribe(Hear);
    }

    /// <summary>May a room become partial? Not while a release may run beside this one that would take what is known of such a room for all there is.</summary>
    public async ValueTask<bool> AreKnownToAll(CancellationToken ct) => areKnownToAll || (areKnownToAll = await store.AreKnownToAll(Upgrade, ct));

    /// <summary>Is there any such room, as far as this process has heard?</summary>
    public async ValueTask<bool> Any(CancellationToken ct)
    {
        await Load(ct);
        lock (sync)
            return rooms.Count > 0;
    }

    /// <summary>Forgets rooms that were left before they were whole, which the log says nothing of.</summary>
    internal async Task LookAgainAt(CancellationToken ct)
    {
        var before = Volatile.Read(ref changes);
        var stored = await store.List(ct);
        lock (sync)
        {
            if (changes == before)
                rooms.IntersectWith(stored);
        }
    }

    /// <summary>Those of the rooms that are partial. Asks nobody while this process has heard of none of them.</summary>
    public async ValueTask<IReadOnlyCollection<long>> Among(Func<long, bool> isWanted, CancellationToken ct)
    {
        await Load(ct);
        List<long>? asked = null;
        lock (sync)
        {
            foreach (var room in rooms)
            {
                if (isWanted(room))
                    (asked ??= []).Add(room);
            }
        }
        return asked is null ? [] : [.. await store.ListPartial(asked, ct)];
    }

    /// <summary>Is the room partial, as Postgres has it?</summary>
    public Task<bool> Contains(long roomNid, CancellationToken ct) => store.Contains(roomNid, ct);

    /// <summary>Waits until the room is whole.</summary>
    /// <exception cref="PartialRoomException">It takes longer than a request may wait.</exception>
    public async Task UntilWhole(long roomNid, CancellationToken ct)
    {
        var began = time.GetTimestamp();
        for (var told = News(); await store.Contains(roomNid, ct); told = News())
        {
            if (time.GetElapsedTime(began) > Patience)
                throw new PartialRoomException();
            await Wait(told, LookAgain, ct);
        }
    }

    /// <summary>Waits until some room becomes partial or whole.</summary>
    public async Task Wait(Task told, TimeSpan most, CancellationToken ct)
    {
        await told.WaitAsync(most, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        ct.ThrowIfCancellationRequested();
    }

    /// <summary>From now on this is called with each of the news, from the log's thread.</summary>
    public IDisposable Subscribe(Action wake) => follower.Subscribe(entries =>
    {
        if (entries.Any(IsNews))
            wake();
    });

    static bool IsNews(LogEntry entry) => entry is { Kind: LogKind.StateMerge, Key: Begun or Whole, RoomNid: not null };

    /// <summary>Ends with the next news.</summary>
    public Task News()
    {
        lock (sync)
            return news.Task;
    }

    public void Dispose() => subscription.Dispose();

    async ValueTask Load(CancellationToken ct)
    {
        if (isLoaded)
            return;
        Task load;
        lock (sync)
        {
            if (loading is null or { IsFaulted: true } or { IsCanceled: true })
                loading = Read();
            load = loading;
        }
        await load.WaitAsync(ct);
    }

    async Task Read()
    {
        await Task.Yield(); // not under the lock
        var stored = await store.List(CancellationToken.None);
        lock (sync)
        {
            rooms.UnionWith(stored);
            // what was read may be older than some of it, and newer than the rest: what was heard last of a room is true, or soon will be
            heard.ForEach(Apply);
            heard.Clear();
            isLoaded = true;
        }
    }

    void Hear(IReadOnlyList<LogEntry> entries)
    {
        TaskCompletionSource? told = null;
        foreach (var entry in entries)
        {
            if (!IsNews(entry))
                continue;
            var change = (entry.RoomNid!.Value, entry.Key == Begun);
            lock (sync)
            {
                changes++;
                if (isLoaded)
                    Apply(change);
                else
                    heard.Add(change);
                (told, news) = (told ?? news, told is null ? new(TaskCreationOptions.RunContinuationsAsynchronously) : news);
            }
        }
        told?.SetResult();
    }

    void Apply((long RoomNid, bool IsPartial) change)
    {
        if (change.IsPartial)
            rooms.Add(change.RoomNid);
        else
            rooms.Remove(change.RoomNid);
    }
}

/// <summary>Who is in the room is not known yet, so that it cannot be said what is allowed there. The client may try again.</summary>
public sealed class PartialRoomException() : Exception("This server has just joined the room, and does not know its members yet. Try again."), IMatrixError
{
    public int Status => 503;

    public string Errcode => "M_UNKNOWN";
}
