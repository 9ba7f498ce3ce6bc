namespace Matrix.MediaRepo.Serving;

/// <summary>
/// Reads together what is asked for at about the same time: who comes while something is being read is part of what is read next. So nobody gets what was read before he asked,
/// nobody who is alone waits, and a client that asks for twenty pictures, or twenty that ask for one, cost a few round trips.
/// </summary>
sealed class GroupedReads<TQuestion, TAnswer>(Func<IReadOnlyList<TQuestion>, CancellationToken, Task<IReadOnlyList<TAnswer>>> read, TimeProvider time)
{
    const int AtOnce = 64, MostReaders = 16;

    // reading takes a millisecond: what takes longer, on a connection that hangs, holds up nobody else
    static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(100);

    readonly Lock _gate = new();
    readonly Queue<(TQuestion Question, TaskCompletionSource<TAnswer> Answer)> _waiting = new();
    int _readers;

    public async Task<TAnswer> Get(TQuestion question, CancellationToken ct)
    {
        var answer = new TaskCompletionSource<TAnswer>(); // goes on where it was read: waking a thread for each costs as much as reading
        if (!Join(question, answer))
        {
            await ((Task)answer.Task).WaitAsync(s_patience, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!answer.Task.IsCompleted)
                AddReader();
        }
        return await answer.Task.WaitAsync(ct);
    }

    /// <returns>False: somebody is reading, and will read this afterwards.</returns>
    bool Join(TQuestion question, TaskCompletionSource<TAnswer> answer)
    {
        lock (_gate)
            _waiting.Enqueue((question, answer));
        return AddReader(onlyIfNone: true);
    }

    bool AddReader(bool onlyIfNone = false)
    {
        lock (_gate)
        {
            if (_readers >= (onlyIfNone ? 1 : MostReaders))
                return false;
            _readers++;
        }
        _ = ReadAll();
        return true;
    }

    async Task ReadAll()
    {
        for (var (group, reading) = Begin(); group.Count > 0;)
        {
            await ((Task)reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            var next = Begin(); // before those who asked go on
            for (var i = 0; i < group.Count; i++)
            {
                if (reading.IsCompletedSuccessfully)
                    group[i].Answer.SetResult(reading.Result[i]);
                else
                    group[i].Answer.SetException(reading.Exception?.InnerException ?? new TaskCanceledException(reading));
            }
            (group, reading) = next;
        }
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
}
