using System.Diagnostics;

namespace Matrix.Replication;

/// <summary>A change on its way: waiting (its caller may take it back), then being written, then done.</summary>
sealed class PendingChange(LogChange change)
{
    const int Waiting = 0, BeingWritten = 1, TakenBack = 2;

    readonly TaskCompletionSource<LogPosition> _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly long _queuedAt = Stopwatch.GetTimestamp();
    int _state = Waiting;

    public TimeSpan Waited => Stopwatch.GetElapsedTime(_queuedAt);

    public LogChange Change => change;

    /// <summary>The traced request that it is for.</summary>
    public ActivityContext Caller { get; } = LogTracing.Here;

    public IReadOnlyList<LogEntryDraft> Entries { get; } = change.Entries;

    public int Retries { get; set; }

    public Task<LogPosition> Outcome => _outcome.Task;

    public bool TryBegin() => Interlocked.CompareExchange(ref _state, BeingWritten, Waiting) == Waiting;

    public void TryTakeBack(CancellationToken ct)
    {
        if (Interlocked.CompareExchange(ref _state, TakenBack, Waiting) == Waiting)
            _outcome.TrySetCanceled(ct);
    }

    public void Succeed(LogPosition last) => _outcome.TrySetResult(last);

    public void Fail(Exception cause) => _outcome.TrySetException(cause);
}
