using Matrix.Replication;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync;

/// <summary>Whom an entry of the log concerns.</summary>
static class SyncConcerns
{
    public static bool IsMembership(this LogEntry entry) => entry is { RoomNid: not null, EventNid: not null }
        && entry is { Kind: LogKind.Event, Key: "m.room.member" } or { Kind: LogKind.Membership };

    public static bool ConcernsRoom(this LogEntry entry) => entry.Kind == LogKind.Event || (entry.Kind == LogKind.Receipt && entry.Key != Receipt.PrivateRead);

    public static bool ConcernsUser(this LogEntry entry) => entry is { UserId: not null, Kind: not (LogKind.OneTimeKeys or LogKind.Session) };
}
