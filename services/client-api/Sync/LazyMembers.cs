using System.Collections.Concurrent;
using Matrix.Replication;

namespace Matrix.ClientApi.Sync;

/// <summary>
/// Which membership events a device has been sent, so that lazily loaded members are not repeated (Client-Server API, "Lazy-loading room
/// members"). Forgetting costs a repetition, nothing else. A client that asks again from an earlier token has not got what was sent after it.
/// </summary>
sealed class LazyMembers(Caches caches)
{
    const int MostPerRoom = 2000;

    readonly record struct Key(string UserId, string DeviceId, long RoomNid);

    readonly record struct Sent(long EventNid, LogPosition NextBatch);

    readonly BoundedCache<Key, ConcurrentDictionary<string, Sent>> rooms = caches.Create<Key, ConcurrentDictionary<string, Sent>>(
        "lazy_members", 16 << 20, (_, members) => 500 + 150 * members.Count);

    public bool WasSent(SyncRequest request, long roomNid, string member, long eventNid) =>
        request.Since is { } since
        && rooms.TryGet(KeyOf(request, roomNid), out var members)
        && members.TryGetValue(member, out var sent)
        && sent.EventNid == eventNid
        && sent.NextBatch <= since;

    public void Remember(SyncRequest request, long roomNid, LogPosition nextBatch, IEnumerable<EncodedEvent> memberEvents)
    {
        var key = KeyOf(request, roomNid);
        if (!rooms.TryGet(key, out var members) || members.Count > MostPerRoom)
            members = new ConcurrentDictionary<string, Sent>(StringComparer.Ordinal);
        foreach (var e in memberEvents)
            members[e.StateKey!] = new Sent(e.Nid, nextBatch);
        if (!members.IsEmpty)
            rooms.Set(key, members);
    }

    static Key KeyOf(SyncRequest request, long roomNid) => new(request.UserId, request.DeviceId, roomNid);
}
