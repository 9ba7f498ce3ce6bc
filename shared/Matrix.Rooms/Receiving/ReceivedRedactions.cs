using Matrix.Protocol;
using Matrix.Rooms.State;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Receiving;

/// <summary>
/// Do redactions of other servers count? The auth rules let everybody send one; it is applied when its sender has the power in the state before it, or is of
/// the server of whoever sent what it redacts (spec, Handling redactions).
/// </summary>
sealed class ReceivedRedactions(EventStore events, StateEvents stateEvents, Room room)
{
    /// <summary>What a received redaction redacts, if that is here and it may.</summary>
    public async ValueTask<StoredEvent?> FindTarget(EventSurroundings around, StateNodeId before, CancellationToken ct) =>
        around.Target is { } target && await May(around.Pdu.Sender, target.Sender, target.Type, before, ct) ? target : null;

    /// <summary>A redaction that came before the event and may redact it.</summary>
    public async ValueTask<long?> FindDue(Pdu pdu, CancellationToken ct)
    {
        var due = await events.ListRedactionsDue(room.RoomNid, pdu.EventId, ct);
        if (due.Count == 0)
            return null;
        foreach (var redaction in (await events.Get(due, ct)).Values)
        {
            if (redaction.StateBefore is { } before && await May(redaction.Sender, pdu.Sender, pdu.Type, before, ct))
                return redaction.EventNid;
        }
        return null;
    }

    /// <summary>May this sender redact what that one sent, in the state before the redaction?</summary>
    public async ValueTask<bool> May(UserId sender, UserId target, string type, StateNodeId before, CancellationToken ct)
    {
        if (type == EventTypes.Create)
            return false;
        if (sender.Server == target.Server)
            return true;
        var state = await stateEvents.Find(before, [new(EventTypes.PowerLevels, ""), new(EventTypes.Create, "")], ct);
        var levels = PowerLevels.Read(state[0], state[1]);
        return levels.For(sender) >= levels.Redact;
    }
}
