using Matrix.Federation;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Storage.Caching;
using Matrix.Storage.Federation;

namespace Matrix.FederationSender.Routing;

/// <summary>A server that events of a room go to, as far as it was there.</summary>
readonly record struct RoomDestination(ServerName Server, long Since, long? LeftAt)
{
    public bool Gets(long position) => position > Since && (LeftAt is not { } left || position <= left);
}

/// <summary>
/// The servers that a room's events go to: read once, and again after an entry by which a server may have come or gone. Used by the router alone, in the
/// order of the log, so nothing is older here than the entry that is looked at.
/// </summary>
sealed class RoomDestinations(OutgoingEventStore store, Caches caches, ServerSigningKey own)
{
    readonly BoundedCache<long, RoomDestination[]> cache = caches.Create<long, RoomDestination[]>(
        "federation_rooms", 32 << 20, (_, servers) => 64 + 64L * servers.Length);
    readonly string suffix = $":{own.ServerName}";

    /// <summary>Another server may have come into the entry's room, or gone from it.</summary>
    public void Apply(LogEntry entry)
    {
        if (entry.RoomNid is { } room && (entry.Kind is LogKind.StateMerge
            || entry is { Kind: LogKind.Event, Key: EventTypes.Member } && entry.UserId?.EndsWith(suffix, StringComparison.Ordinal) != true))
            cache.Remove(room);
    }

    /// <summary>The servers in these rooms, those among them that left after a position.</summary>
    public async ValueTask<Dictionary<long, RoomDestination[]>> Get(IReadOnlyCollection<long> rooms, long after, CancellationToken ct)
    {
        var found = new Dictionary<long, RoomDestination[]>(rooms.Count);
        List<long>? missing = null;
        foreach (var room in rooms)
        {
            if (cache.TryGet(room, out var servers))
                found[room] = servers;
            else
                (missing ??= []).Add(room);
        }
        if (missing is null)
            return found;
        var rows = (await store.ListServers([.. missing], after, ct)).ToLookup(row => row.RoomNid);
        foreach (var room in missing)
        {
            found[room] = [.. rows[room].Select(row => new RoomDestination(ServerName.Parse(row.Server), row.Since, row.LeftAt))];
            cache.Set(room, found[room]);
        }
        return found;
    }
}
