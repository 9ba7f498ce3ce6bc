using System.Text.Json;
using Matrix.Replication;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync.Visibility;

/// <summary>
/// Who sees what of which room, from the room's visibility events and the user's memberships, in one query. Remembered until the log tells of
/// another such event; what a process remembers may open a door a moment longer, as any reader that is behind does, but never closes one: a user
/// who is not in the room is looked up.
/// </summary>
sealed class RoomSights(TimelineStore store, LogFollower follower, Caches caches, TimeProvider time)
{
    /// <summary>Of a user with more memberships of a room than this the oldest are not known: what was before them is not seen.</summary>
    const int MostEvents = 2000;

    static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(200);

    readonly BoundedCache<long, SightEvent[]> visibilities = caches.Create<long, SightEvent[]>(
        "room_visibilities", 4 << 20, (_, events) => 24 + 16 * events.Length);
    readonly BoundedCache<(long Room, string User), Own> memberships = caches.Create<(long Room, string User), Own>(
        "room_memberships", 16 << 20, (key, own) => 100 + Caches.WeightOf(key.User) + 16 * own.Events.Length);
    int generation;

    /// <param name="Room">The room's visibilities that were read with it: when older history has come, both are read again.</param>
    sealed record Own(SightEvent[] Events, SightMembership Current, SightEvent[] Room);

    /// <summary>The log tells of an event that changes what is seen.</summary>
    public void Changed(LogEntry entry)
    {
        if (entry.RoomNid is not { } room)
            return;
        if (entry is { Kind: LogKind.Membership, UserId: { } } or { Kind: LogKind.Event, Key: "m.room.member", UserId: { } })
        {
            Interlocked.Increment(ref generation);
            memberships.Remove((room, entry.UserId));
        }
        else if (entry is { Kind: LogKind.Event, Key: "m.room.history_visibility" } or { Kind: LogKind.History })
        {
            Interlocked.Increment(ref generation);
            visibilities.Remove(room);
        }
    }

    public async ValueTask<Sight> Get(long room, string userId, CancellationToken ct) => (await Get([room], userId, ct))[room];

    /// <summary>What a user sees of several rooms, by number, in one query for all that are not remembered.</summary>
    public async ValueTask<Dictionary<long, Sight>> Get(IReadOnlyCollection<long> rooms, string userId, CancellationToken ct)
    {
        await Settle(ct);
        var sights = new Dictionary<long, Sight>(rooms.Count);
        List<long>? unknown = null;
        foreach (var room in rooms)
        {
            if (visibilities.TryGet(room, out var ofRoom) && memberships.TryGet((room, userId), out var own) && own.Room == ofRoom)
                sights[room] = new Sight(userId, ofRoom, own.Events, own.Current);
            else
                (unknown ??= []).Add(room);
        }
        if (unknown is not null)
            await Read(unknown, userId, sights, ct);
        return sights;
    }

    /// <summary>Waits until what this process wrote before is applied here, so that a client finds what it has just sent.</summary>
    public async ValueTask Settle(CancellationToken ct)
    {
        var heard = follower.Heard;
        if (heard <= follower.Position)
            return;
        try
        {
            await follower.WaitFor(heard, ct).WaitAsync(Patience, time, ct);
        }
        catch (TimeoutException)
        {
            // the log is slow: better an answer that lacks the newest than none
        }
    }

    async Task Read(List<long> rooms, string userId, Dictionary<long, Sight> sights, CancellationToken ct)
    {
        var before = Volatile.Read(ref generation);
        var (events, current) = await store.ReadSights([.. rooms], userId, MostEvents, ct);
        var byRoom = events.OrderBy(row => row.Position).ToLookup(row => row.RoomNid);
        var currentByRoom = current.ToDictionary(row => row.RoomNid);
        foreach (var room in rooms)
        {
            SightEvent[] ofRoom = [.. byRoom[room].Where(row => !row.OfUser).Select(row => new SightEvent(row.Position, Value(row, "history_visibility")))];
            SightEvent[] own = [.. byRoom[room].Where(row => row.OfUser).Select(row => new SightEvent(row.Position, Value(row, "membership")))];
            sights[room] = new Sight(userId, ofRoom, own, currentByRoom.GetValueOrDefault(room));
            if (sights[room].IsJoined)
            {
                // one array for all users, as long as it says the same
                if (visibilities.TryGet(room, out var known) && known.SequenceEqual(ofRoom))
                    ofRoom = known;
                else
                    visibilities.Set(room, ofRoom, ref generation, before);
                memberships.Set((room, userId), new Own(own, currentByRoom[room], ofRoom), ref generation, before);
            }
        }
    }

    // Redaction keeps both.
    static string? Value(SightRow row, string name)
    {
        using var json = JsonDocument.Parse(row.Json);
        return json.RootElement.TryGetProperty("content", out var content) && content.ValueKind == JsonValueKind.Object
            && content.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
    }
}
