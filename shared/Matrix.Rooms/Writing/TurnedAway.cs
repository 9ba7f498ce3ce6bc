using Matrix.Protocol;
using Matrix.Storage;
using Npgsql;

namespace Matrix.Rooms.Writing;

/// <summary>
/// Users of other servers who are turned away from a room in which they were not: their server is not among the room's, and is told by these rows if it was
/// away meanwhile (<c>turned_away</c>).
/// </summary>
static class TurnedAway
{
    /// <param name="back">By the index of an event.</param>
    public static void AddCommands(NpgsqlBatch batch, EventChain chain, Func<int, int> back)
    {
        foreach (var (i, e) in chain.Events.Index())
        {
            if (e.Pdu is { Type: EventTypes.Member, StateKey: { } key, Membership: "leave" or "ban" } && chain.IsLocal(e.Pdu.Sender)
                && (e.Merge is not null || e.Replaced?.Membership != "join") && UserId.TryParse(key, out var target) && !chain.IsLocal(target))
                batch.Add("INSERT INTO turned_away (server, position, event_nid) VALUES ($1, log_position($2), $3)", target.Server.ToString(), back(i), e.EventNid);
        }
    }
}
