using Matrix.Protocol;
using Matrix.Storage.Rooms;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync;

/// <summary>Turns a stored event into its client format, once for all readers.</summary>
static class EventEncoder
{
    /// <summary>A redacted event shows what its redaction left of it.</summary>
    public static EncodedEvent Encode(EventRow stored)
    {
        var rules = RoomVersions.Find(stored.Version) ?? throw new InvalidOperationException($"Unknown room version {stored.Version}.");
        var pdu = Pdu.FromStored(EventId.Parse(stored.EventId), stored.Json, rules);
        if (stored.RedactedBy is not null)
            pdu = pdu.Redact();
        var encoded = ClientEvent.Encode(pdu, ClientEventOptions.WithoutRoomId);
        return new EncodedEvent(
            stored.EventNid, stored.EventId, stored.RoomNid, stored.RoomId, stored.Position, stored.Type, stored.StateKey, stored.Sender,
            stored.OriginServerTs, encoded.AsMemory(0, encoded.Length - 1), ClientEvent.Content(encoded), pdu.Membership, pdu.Redacts?.ToString(),
            Root(stored.StateBefore), Root(stored.RoomState), stored.RedactedBy, stored.DeviceId, stored.TxnId, rules);
    }

    static StateNodeId? Root(byte[]? stored) => stored is null ? null : StateNodeId.Read(stored);
}
