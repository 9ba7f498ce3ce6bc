using System.Collections.Concurrent;
using Matrix.Replication;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>
/// Which membership events a connection was sent, so that lazily loaded members are not repeated. Forgetting costs a repetition, nothing
/// else. Who asks again from an earlier pos has not got what was sent after it.
/// </summary>
sealed class SlidingMembers(Caches caches)
{
    const int MostPerRoom = 2000;

    readonly record struct Sent(long EventNid, LogPosition Position);

    readonly BoundedCache<(ConnectionKey Key, long RoomNid), ConcurrentDictionary<string, Sent>> rooms =
        caches.Create<(ConnectionKey Key, long RoomNid), ConcurrentDictionary<string, Sent>>("sliding_members", 16 << 20, (_, members) => 500 + (150 * members.Count));

    public bool WasSent(ConnectionKey key, LogPosition? since, long room, string member, long eventNid) =>
        since is { } position && rooms.TryGet((key, room), out var members) && members.TryGetValue(member, out var sent)
        && sent.EventNid == eventNid && sent.Position <= position;

    /// <param name="fresh">The client has forgotten what it knew of the room.</param>
    public void Remember(ConnectionKey key, LogPosition position, long room, bool fresh, IEnumerable<EncodedEvent> memberEvents)
    {
        if (fresh || !rooms.TryGet((key, room), out var members) || members.Count > MostPerRoom)
            members = new ConcurrentDictionary<string, Sent>(StringComparer.Ordinal);
        foreach (var e in memberEvents)
            members[e.StateKey!] = new Sent(e.Nid, position);
        if (!members.IsEmpty)
            rooms.Set((key, room), members);
    }
}
