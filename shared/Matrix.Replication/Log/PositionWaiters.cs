namespace Matrix.Replication;

/// <summary>Callers that wait for a position. Cancelled ones leave at once, so a position that never comes holds no memory.</summary>
sealed class PositionWaiters
{
    readonly Lock _lock = new();
    readonly SortedDictionary<(long Position, long Order), Waiter> _waiting = [];
    long _reached = -1;
    long _order;

    /// <summary>Null when the position has been reached.</summary>
    public Task? Add(LogPosition position, CancellationToken ct)
    {
        if (position.Value <= Volatile.Read(ref _reached))
            return null;
        ct.ThrowIfCancellationRequested();
        var waiter = new Waiter();
        (long, long) key;
        lock (_lock)
        {
            if (position.Value <= _reached)
                return null;
            key = (position.Value, ++_order);
            _waiting.Add(key, waiter);
        }
        waiter.LeaveOn(() => Leave(key, ct), ct);
        return waiter.Task;
    }

    public void Release(LogPosition position)
    {
        List<Waiter>? released = null;
        lock (_lock)
        {
            _reached = position.Value;
            while (_waiting.Count > 0 && _waiting.First() is var (key, waiter) && key.Position <= position.Value)
            {
                (released ??= []).Add(waiter);
                _waiting.Remove(key);
            }
        }
        released?.ForEach(waiter => waiter.Release());
    }

    public void CancelAll(CancellationToken ct)
    {
        List<Waiter> all;
        lock (_lock)
        {
            all = [.. _waiting.Values];
            _waiting.Clear();
        }
        all.ForEach(waiter => waiter.Cancel(ct));
    }

    void Leave((long, long) key, CancellationToken ct)
    {
        Waiter? waiter;
        lock (_lock)
            _waiting.Remove(key, out waiter);
        waiter?.Cancel(ct);
    }

    sealed class Waiter
    {
        readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        CancellationTokenRegistration _registration;

        public Task Task => _done.Task;

        public void LeaveOn(Action leave, CancellationToken ct)
        {
            _registration = ct.UnsafeRegister(static action => ((Action)action!)(), leave);
            if (_done.Task.IsCompleted)
                _registration.Dispose();
        }

        public void Release()
        {
            _done.TrySetResult();
            _registration.Dispose();
        }

        public void Cancel(CancellationToken ct) => _done.TrySetCanceled(ct);
    }
}
