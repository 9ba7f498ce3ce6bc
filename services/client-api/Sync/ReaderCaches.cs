using Matrix.ClientApi.Sync.Relations;
using Matrix.ClientApi.Sync.Visibility;
using Matrix.Replication;

namespace Matrix.ClientApi.Sync;

/// <summary>What is remembered for readers and what the log makes stale: told by <see cref="SyncNews"/> before anybody is told of the entry.</summary>
sealed class ReaderCaches(RoomSights sights, IgnoredUsers ignored, BlockedInvites invites, ErasedUsers erased, AggregationCache aggregations)
{
    public void Changed(LogEntry entry)
    {
        sights.Changed(entry);
        ignored.Changed(entry);
        invites.Changed(entry);
        erased.Changed(entry);
        aggregations.Changed(entry);
    }
}
