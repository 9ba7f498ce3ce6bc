using Matrix.Http;
using Matrix.Rooms;
using Matrix.Rooms.Resolution;
using Matrix.Storage.Rooms;

namespace Matrix.FederationReader.Endpoints.Events;

/// <summary>Finds the state before an event, and its auth chain, as numbers of events.</summary>
sealed class StateBefore(EventStore events, RoomState states, AuthChains chains)
{
    public async Task<(IReadOnlyCollection<long> State, IReadOnlyCollection<long> AuthChain)> Find(Room room, EventId eventId, CancellationToken ct)
    {
        if (await events.FindInRoom(room.RoomNid, [eventId], ct) is not [{ StateBefore: { } root, Rejected: null, IsHalfKnown: false }])
            throw MatrixException.NotFound("The state at this event is not known here.");
        long[] state = [.. (await states.ReadAll(root, ct)).Select(entry => entry.EventNid)];
        return (state, await chains.List(room, state, ct));
    }

    /// <summary>The event_id that a request must give.</summary>
    public static EventId Demand(HttpContext context) => (string?)context.Request.Query["event_id"] switch
    {
        null or "" => throw MatrixException.MissingParam("event_id"),
        var text => EventId.TryParse(text, out var id) ? id : throw MatrixException.InvalidParam("'event_id' is no event id."),
    };
}
