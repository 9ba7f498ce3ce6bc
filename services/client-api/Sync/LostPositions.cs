using Matrix.Replication;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync;

/// <summary>
/// Positions that were given out before the database was put back from a backup and are not in it. Read once: a restore happens while no service runs.
/// </summary>
sealed class LostPositions(SyncStore store) : IHostedService
{
    IReadOnlyList<LostRange> _ranges = [];

    public bool Contain(LogPosition position)
    {
        foreach (var range in _ranges)
            if (position.Value > range.LostAfter && position.Value < range.LostBefore) return true;
        return false;
    }

    public async Task StartAsync(CancellationToken cancellationToken) => _ranges = await store.ListLost(cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
