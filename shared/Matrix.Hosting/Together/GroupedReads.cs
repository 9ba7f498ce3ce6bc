namespace Matrix.Hosting.Together;

/// <summary>
/// Reads together what is asked for at about the same time: who comes while something is being read is part of what is read next. So nobody gets what was read before he asked,
/// nobody who is alone waits, and a client that asks for twenty pictures, or twenty that ask for one, cost a few round trips.
/// </summary>
public sealed class GroupedReads<TQuestion, TAnswer>(Func<IReadOnlyList<TQuestion>, CancellationToken, Task<IReadOnlyList<TAnswer>>> read, TimeProvider time, bool answersFirst = false)
{
    const int AtOnce = SameQuestion.Most, MostReaders = 16;

    // reading takes a millisecond: what takes longer, on a connection that hangs, holds up nobody else
    static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(100);

    readonly Lock _gate = new();
    readonly Queue<(TQuestion Question, TaskCompletionSource<TAnswer> Answer)> _waiting = new();
    int _readers, _slow;

    public Task<TAnswer> Get(TQuestion question, CancellationToken ct)
    {
        var answer = new TaskCompletionSource<TAnswer>(); // goes on where it was read: waking a thread for each costs as much as reading
        lock (_gate)
            _waiting.Enqueue((question, answer));
        AddReader();
        return answer.Task.WaitAsync(ct);
    }

    /// <summary>What is asked for until it is disposed is read together then.</summary>
    public Held Hold()
    {
        lock (_gate)
        {
            if (_readers >= MostReaders)
                return default;
            _readers++;
            return new Held(this);
        }
    }

    // if none is reading: one who is reads what has come meanwhile
    void AddReader()
    {
        lock (_gate)
        {
            if (_readers > _slow || _readers >= MostReaders)
                return;
            _readers++;
        }
        _ = ReadAll();
    }

    async Task ReadAll()
    {
        for (var (group, reading) = Begin(); group.Count > 0;)
        {
            await End(reading);
            // before those who asked go on, or after: then whoever comes while they are served is among the next
            var next = answersFirst ? default : Begin();
            for (var i = 0; i < group.Count; i++)
            {
                if (reading.IsCompletedSuccessfully)
                    group[i].Answer.SetResult(reading.Result[i]);
                else
                    group[i].Answer.SetException(reading.Exception?.InnerException ?? new TaskCanceledException(reading));
            }
            (group, reading) = answersFirst ? Begin() : next;
        }
    }

    async Task End(Task reading)
    {
        if (reading.IsCompleted)
            return;
        await reading.WaitAsync(s_patience, time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (reading.IsCompleted)
            return;
        lock (_gate)
            _slow++;
        if (HasWaiting())
            AddReader();
        await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_gate)
            _slow--;
    }

    bool HasWaiting()
    {
        lock (_gate)
            return _waiting.Count > 0;
    }

    (List<(TQuestion Question, TaskCompletionSource<TAnswer> Answer)> Group, Task<IReadOnlyList<TAnswer>> Reading) Begin()
    {
        var group = Next();
        // not ended by one of those who ask: the others wait for it too
        return (group, group.Count == 0 ? Task.FromResult<IReadOnlyList<TAnswer>>([]) : read([.. group.Select(asked => asked.Question)], CancellationToken.None));
    }

    List<(TQuestion Question, TaskCompletionSource<TAnswer> Answer)> Next()
    {
        lock (_gate)
        {
            var group = new List<(TQuestion, TaskCompletionSource<TAnswer>)>(Math.Min(_waiting.Count, AtOnce));
            while (group.Count < AtOnce && _waiting.TryDequeue(out var asked))
                group.Add(asked);
            if (group.Count == 0)
                _readers--;
            return group;
        }
    }

    /// <summary>Ended by <see cref="Dispose"/>, once.</summary>
    public readonly struct Held : IDisposable
    {
        readonly GroupedReads<TQuestion, TAnswer>? _reads;

        internal Held(GroupedReads<TQuestion, TAnswer> reads) => _reads = reads;

        public void Dispose() => _ = _reads?.ReadAll();
    }
}
