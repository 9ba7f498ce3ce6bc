using Matrix.Protocol;
using Matrix.Storage.Federation;
using EventId = Matrix.Protocol.EventId;

namespace Matrix.FederationSender.Queues;

/// <summary>An event as other servers get it; the destinations that it goes to share it.</summary>
sealed record OutgoingPdu(long Position, byte[] Json)
{
    public static OutgoingPdu Of(OutgoingEvent e)
    {
        var rules = RoomVersions.Find(e.Version)!;
        // what was redacted since is nobody's any more
        return new OutgoingPdu(e.Position, e.RedactedBy is null ? e.Json : Pdu.FromStored(EventId.Parse(e.EventId), e.Json, rules).Redact().Json.ToArray());
    }
}
