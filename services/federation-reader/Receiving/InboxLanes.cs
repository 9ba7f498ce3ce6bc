using Matrix.Protocol;
using Matrix.Rooms;
using Matrix.Rooms.Fetching;
using Matrix.Storage;
using Matrix.Storage.Inbox;
using Matrix.Storage.Rooms;
using Npgsql;

namespace Matrix.FederationReader.Receiving;

/// <summary>
/// Takes the events of one server in one room out of the inbox, in their order, fetching what they need. One that lacks something which nobody gives holds
/// up those after it for a few tries, and is dropped then.
/// </summary>
sealed partial class InboxLanes(InboxStore store, RoomFinder rooms, MissingEvents missing, ReceivingOptions options, ILogger<InboxLanes> logger)
{
    const int AtOnce = 50;

    public async Task Drain(InboxLane lane, CancellationToken ct)
    {
        var room = (await rooms.List([lane.RoomNid], ct))[0];
        while (await store.List(lane, AtOnce, ct) is { Count: > 0 } events)
        {
            foreach (var e in events)
            {
                if (!await TryReceive(lane, room, e, ct) && e.Attempts + 1 < options.MostAttempts)
                {
                    await store.Postpone(lane, e.InboxNid, options.FirstPause * Math.Pow(2, e.Attempts), ct);
                    return;
                }
                await store.Delete(e.InboxNid, ct);
            }
        }
        await store.End(lane, ct);
    }

    /// <summary>False: it is to be tried again.</summary>
    async Task<bool> TryReceive(InboxLane lane, Room room, InboxEvent e, CancellationToken ct)
    {
        var pdu = Pdu.FromStored(EventId.Parse(e.EventId), e.Json, room.Rules);
        try
        {
            var received = await missing.Receive(room, pdu, [ServerName.Parse(lane.Origin), pdu.Sender.Server], ct);
            if (received.Reception == Reception.Rejected)
                Rejected(pdu.EventId, room.RoomId, lane.Origin, received.Reason ?? "");
            if (received.Reception is not (Reception.MissingAuthEvents or Reception.MissingPrevEvents))
                return true;
            NotFetched(pdu.EventId, room.RoomId, lane.Origin, e.Attempts + 1, received.Missing?.Count ?? 0);
            return false;
        }
        catch (PostgresException refused) when (refused.SqlState == PostgresErrorCodes.CharacterNotInRepertoire)
        {
            // a NUL where text is stored: no try will be better, and those after it do not have to wait
            Rejected(pdu.EventId, room.RoomId, lane.Origin, refused.MessageText);
            return true;
        }
        catch (Exception failed) when (failed is not OperationCanceledException && !DatabaseOutage.IsOne(failed))
        {
            Failed(pdu.EventId, room.RoomId, lane.Origin, e.Attempts + 1, failed);
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Rejected event {Event} in {RoomId} from {Origin}: {Reason}")]
    partial void Rejected(EventId @event, RoomId roomId, string origin, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Event {Event} in {RoomId} from {Origin} needs {Count} events that were not to be had, try {Attempt}")]
    partial void NotFetched(EventId @event, RoomId roomId, string origin, int attempt, int count);

    [LoggerMessage(Level = LogLevel.Error, Message = "Event {Event} in {RoomId} from {Origin} could not be taken in, try {Attempt}")]
    partial void Failed(EventId @event, RoomId roomId, string origin, int attempt, Exception cause);
}
