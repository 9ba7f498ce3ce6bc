namespace Matrix.Hosting.Overload;

/// <summary>A request that was let in. It is at work until it is answered, or until it begins to wait for news.</summary>
public sealed class Work : IDisposable
{
    static readonly AsyncLocal<Work?> s_current = new();
    readonly Admission? _admission;
    int _isOver;

    internal Work(Admission? admission) => _admission = admission;

    /// <summary>What is called from here on belongs to this request.</summary>
    internal void Begin()
    {
        if (_admission is not null) s_current.Value = this;
    }

    /// <summary>The request that this is called for only waits from now on, and what it does afterwards is not counted.</summary>
    public static void OnlyWaits() => s_current.Value?.Dispose();

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isOver, 1) == 0) _admission?.Leave();
    }
}
