using Matrix.Protocol;
using Matrix.Rooms;
using Matrix.Rooms.Fetching;
using Matrix.Rooms.Joining;
using Matrix.Storage;
using Matrix.Storage.Inbox;
using Matrix.Storage.Rooms;
using Npgsql;

namespace Matrix.FederationReader.Receiving;

/// <summary>
/// Takes the events of one server in one room out of the inbox, in their order, fetching what they need. One that lacks something which nobody gives holds
/// up those after it for a few tries, and is dropped then.
/// </summary>
sealed partial class InboxLanes(
    InboxStore store, RoomFinder rooms, RoomReceiver receiver, MissingEvents missing, ReceivingOptions options, ILogger<InboxLanes> logger)
{
    const int AtOnce = 50;

    public async Task Drain(InboxLane lane, CancellationToken ct)
    {
        var room = (await rooms.List([lane.RoomNid], ct))[0];
        while (await store.List(lane, AtOnce, ct) is { Count: > 0 } events)
        {
            for (var i = 0; i < events.Count;)
            {
                var e = events[i++];
                if (!await TryReceive(lane, room, e, ct))
                {
                    if (e.Attempts + 1 < options.MostAttempts)
                    {
                        await store.Postpone(lane, e.InboxNid, options.FirstPause * Math.Pow(2, e.Attempts), ct);
                        return;
                    }
                    ReceivingMetrics.GivenUp(ServerName.Parse(lane.Origin));
                }
                await store.Delete([e.InboxNid], ct);
                // what waited only because this one did
                i += await TakeAlong(lane.Origin, room, [.. events.Skip(i)], ct);
            }
        }
        await store.End(lane, ct);
    }

    /// <summary>Takes the events that lack nothing, up to the first that does or that fails; that one is looked at alone.</summary>
    async Task<int> TakeAlong(string origin, Room room, IReadOnlyList<InboxEvent> events, CancellationToken ct)
    {
        var taken = 0;
        try
        {
            await foreach (var some in receiver.ReceiveAll(room, [.. events.Select(e => Read(e, room))], ct))
            {
                var done = some.Count(e => e.Reception is not (Reception.MissingAuthEvents or Reception.MissingPrevEvents));
                await store.Delete([.. events.Skip(taken).Take(done).Select(e => e.InboxNid)], ct);
                taken += done;
                foreach (var e in some.Where(e => e.Reception == Reception.Rejected))
                {
                    Rejected(e.EventId, room.RoomId, origin, e.Reason ?? "");
                    ReceivingMetrics.Rejected(ServerName.Parse(origin));
                }
            }
        }
        catch (Exception failed) when (failed is not OperationCanceledException && !DatabaseOutage.IsOne(failed))
        {
            // it is tried again, and counted, when it is looked at alone
        }
        return taken;
    }

    static Pdu Read(InboxEvent e, Room room) => Pdu.FromStored(EventId.Parse(e.EventId), e.Json, room.Rules);

    /// <summary>False: it is to be tried again.</summary>
    async Task<bool> TryReceive(InboxLane lane, Room room, InboxEvent e, CancellationToken ct)
    {
        var pdu = Read(e, room);
        try
        {
            var received = await missing.Receive(room, pdu, [ServerName.Parse(lane.Origin), pdu.Sender.Server], ct);
            if (received.Reception == Reception.Rejected)
            {
                Rejected(pdu.EventId, room.RoomId, lane.Origin, received.Reason ?? "");
                ReceivingMetrics.Rejected(ServerName.Parse(lane.Origin));
            }
            if (received.Reception is not (Reception.MissingAuthEvents or Reception.MissingPrevEvents))
                return true;
            NotFetched(pdu.EventId, room.RoomId, lane.Origin, received.Missing?.Count ?? 0, e.Attempts + 1);
            return false;
        }
        catch (PartialRoomException)
        {
            return false; // the room was joined anew; the lane waits until its members are known
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
    partial void NotFetched(EventId @event, RoomId roomId, string origin, int count, int attempt);

    [LoggerMessage(Level = LogLevel.Error, Message = "Event {Event} in {RoomId} from {Origin} could not be taken in, try {Attempt}")]
    partial void Failed(EventId @event, RoomId roomId, string origin, int attempt, Exception cause);
}
