using Matrix.Protocol;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Fetching;

/// <summary>Fetches the state before an event, for one whose prev events are not to be had.</summary>
sealed class MissingState(EventRequests requests, MissingAuth auth, EventStore events, FetchingOptions options)
{
    /// <summary>So few events of a state are fetched one by one.</summary>
    const int Few = 20;

    /// <summary>The state's events, which are here now as outliers; null: they were not to be had, or are too many.</summary>
    public async Task<IReadOnlyList<EventId>?> Fetch(Room room, EventId eventId, ServerName server, CancellationToken ct)
    {
        var ids = await requests.GetStateIds(room, server, eventId, ct);
        if (ids.State.Count > options.MostStateEvents || ids.AuthChain.Count > options.MostStateEvents)
            return null;
        HashSet<EventId> all = [.. ids.State, .. ids.AuthChain];
        var missing = all.ToHashSet();
        missing.ExceptWith(await events.ListKnown(room.RoomNid, all, ct));
        if (missing.Count > 0)
            await FetchEvents(room, eventId, missing, server, ct);
        var state = await events.ListKnown(room.RoomNid, [.. ids.State], ct);
        // what was offered and not kept is forged, or hangs in the air: the state counts without it
        return state.Count == 0 ? null : [.. state];
    }

    async Task FetchEvents(Room room, EventId eventId, HashSet<EventId> missing, ServerName server, CancellationToken ct)
    {
        IEnumerable<Pdu> found = missing.Count <= Few
            ? (await auth.GetEach(room, missing, server, ct)).OfType<Pdu>()
            : await requests.GetState(room, server, eventId, options.MostStateEvents, ct);
        await auth.Store(room, found.Where(pdu => missing.Contains(pdu.EventId)).DistinctBy(pdu => pdu.EventId).ToDictionary(pdu => pdu.EventId), ct);
    }
}
