using System.Runtime.InteropServices;
using System.Text.Json;
using Matrix.Federation;
using Matrix.Protocol;
using Matrix.Rooms;
using Matrix.Rooms.Access;
using Matrix.Rooms.Joining;
using Matrix.Storage;
using Matrix.Storage.Rooms;

namespace Matrix.FederationReader.Receiving;

/// <summary>Takes in what one server sends of one room at once, in its order.</summary>
sealed partial class RoomEvents(
    RoomReceiver receiver, EventVerifier verifier, RoomAcls acls, RoomResidency residency, Invites invites, PartialRooms partial, TimeProvider time,
    ILogger<RoomEvents> logger)
{
    /// <param name="waits">Earlier events of the server in this room wait in the inbox: these are to come after them.</param>
    /// <param name="until">The timestamp after which the rest waits.</param>
    public async Task Receive(
        ServerName origin, Room room, IReadOnlyList<JsonElement> pdus, bool waits, long until, TransactionOutcome outcome, CancellationToken ct)
    {
        var verified = await verifier.Verify([.. pdus.Select(pdu => (ReadOnlyMemory<byte>)JsonMarshal.GetRawUtf8Value(pdu).ToArray())], room.Rules, ct);
        // nobody of this server is in the room: nobody is told of what happens in it
        if (!await residency.IsIn(room, ct))
        {
            foreach (var e in verified)
            {
                if (e.Pdu is { } member && await invites.TakeBack(room, member, ct))
                    outcome.Accept(member.EventId);
            }
            return;
        }
        if (!await acls.Allows(room, origin, ct))
            verified = [.. verified.Select(e => new VerifiedPdu(null, "The room's access control list denies this server.", e.EventId))];
        foreach (var e in verified.Where(e => e.Pdu is null))
            Refuse(origin, room, e, outcome);
        List<Pdu> good = [.. verified.Select(e => e.Pdu).OfType<Pdu>()];
        // nor can anything be judged in a room whose members are not known yet
        waits = waits || (await partial.Among(nid => nid == room.RoomNid, ct)).Count > 0;
        var taken = waits ? 0 : await Take(origin, room, good, until, outcome, ct);
        foreach (var pdu in good.Skip(taken))
            outcome.Wait(room.RoomNid, pdu);
    }

    /// <summary>Takes the events in their order until something has to be fetched first, or to be tried again, or the time is over.</summary>
    /// <returns>How many were taken.</returns>
    async Task<int> Take(ServerName origin, Room room, List<Pdu> pdus, long until, TransactionOutcome outcome, CancellationToken ct)
    {
        var taken = 0;
        try
        {
            if (time.GetTimestamp() >= until)
                return 0;
            await foreach (var some in receiver.ReceiveAll(room, pdus, ct))
            {
                foreach (var received in some.Where(e => e.Reception is not (Reception.MissingAuthEvents or Reception.MissingPrevEvents)))
                {
                    Tell(origin, room, received, outcome);
                    taken++;
                }
                if (time.GetTimestamp() >= until)
                    break;
            }
        }
        catch (PartialRoomException)
        {
            // this process had not heard of it
        }
        catch (Exception e) when (e is not OperationCanceledException && !DatabaseOutage.IsOne(e))
        {
            Failed(pdus[taken].EventId, room.RoomId, origin, e);
        }
        return taken;
    }

    void Tell(ServerName origin, Room room, ReceivedEvent received, TransactionOutcome outcome)
    {
        if (received.Reception == Reception.Rejected)
        {
            Rejected(received.EventId, room.RoomId, origin, received.Reason ?? "");
            ReceivingMetrics.Rejected(origin);
            outcome.Refuse(received.EventId, received.Reason ?? "It was rejected.");
        }
        else
            outcome.Accept(received.EventId);
    }

    void Refuse(ServerName origin, Room room, VerifiedPdu e, TransactionOutcome outcome)
    {
        var reason = e.Refusal ?? "It was refused.";
        Refused(room.RoomId, origin, reason);
        ReceivingMetrics.Refused(origin);
        // what is not even an event has no id to be named by
        if (e.EventId is { } eventId)
            outcome.Refuse(eventId, reason);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Refused an event in {RoomId} from {Origin}: {Reason}")]
    partial void Refused(RoomId roomId, ServerName origin, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Rejected event {Event} in {RoomId} from {Origin}: {Reason}")]
    partial void Rejected(EventId @event, RoomId roomId, ServerName origin, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Event {Event} in {RoomId} from {Origin} could not be taken in; it is tried again")]
    partial void Failed(EventId @event, RoomId roomId, ServerName origin, Exception cause);
}
