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
    RoomReceiver receiver, EventVerifier verifier, RoomAcls acls, RoomResidency residency, Invites invites, TimeProvider time, ILogger<RoomEvents> logger)
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
        foreach (var e in verified)
        {
            if (e.Pdu is not { } pdu)
                Refuse(origin, room, e, outcome);
            else if (waits || time.GetTimestamp() >= until || !await TryReceive(origin, room, pdu, outcome, ct))
            {
                waits = true;
                outcome.Wait(room.RoomNid, pdu);
            }
        }
    }

    /// <summary>False: something has to be fetched first, or it is to be tried again.</summary>
    async Task<bool> TryReceive(ServerName origin, Room room, Pdu pdu, TransactionOutcome outcome, CancellationToken ct)
    {
        ReceivedEvent received;
        try
        {
            received = await receiver.Receive(room, pdu, null, ct);
        }
        catch (Exception e) when (e is not OperationCanceledException && !DatabaseOutage.IsOne(e))
        {
            Failed(pdu.EventId, room.RoomId, origin, e);
            return false;
        }
        if (received.Reception is Reception.MissingAuthEvents or Reception.MissingPrevEvents)
            return false;
        if (received.Reception == Reception.Rejected)
        {
            Rejected(pdu.EventId, room.RoomId, origin, received.Reason ?? "");
            outcome.Refuse(pdu.EventId, received.Reason ?? "It was rejected.");
        }
        else
            outcome.Accept(pdu.EventId);
        return true;
    }

    void Refuse(ServerName origin, Room room, VerifiedPdu e, TransactionOutcome outcome)
    {
        var reason = e.Refusal ?? "It was refused.";
        Refused(room.RoomId, origin, reason);
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
