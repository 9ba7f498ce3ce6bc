namespace Matrix.Replication;

/// <summary>
/// The right to do a piece of work that must happen once. It renews itself until it is disposed, which gives it back. Work stops when
/// <see cref="Lost"/> fires; because a process can be asleep at that moment, writes that must not come from a late holder carry the
/// <see cref="Fence"/>.
/// </summary>
public sealed class Lease : IAsyncDisposable
{
    readonly Leases _leases;
    readonly CancellationTokenSource _lost = new();

    internal Lease(Leases leases, string name, Guid holder, long fence, TimeSpan duration, long heldSince)
    {
        _leases = leases;
        (Name, Holder, Fence, Duration, HeldSince) = (name, holder, fence, duration, heldSince);
        Lost = _lost.Token;
    }

    public string Name { get; }

    /// <summary>Grows with each change of holder of this name.</summary>
    public long Fence { get; }

    /// <summary>Fires when another process may have taken the lease, or may soon.</summary>
    public CancellationToken Lost { get; }

    internal Guid Holder { get; }

    internal TimeSpan Duration { get; }

    /// <summary>Timestamp of a moment at or before the last renewal: the lease is ours for its duration from then.</summary>
    internal long HeldSince { get; set; }

    internal void Lose() => _lost.Cancel();

    public async ValueTask DisposeAsync()
    {
        await _leases.Release(this);
        await _lost.CancelAsync();
    }
}
