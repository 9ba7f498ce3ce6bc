using Matrix.Protocol;
using Matrix.Storage.Rooms;

namespace Matrix.ClientApi.Endpoints.Rooms;

/// <summary>Reads state events as clients may see them: redacted if they were redacted.</summary>
sealed class StateReading(EventStore events)
{
    /// <summary>These events, which must exist, in the same order.</summary>
    public async Task<List<VisibleEvent>> Read(IReadOnlyCollection<long> eventNids, CancellationToken ct)
    {
        var stored = await events.Get(eventNids, ct);
        var redactions = await events.Get([.. stored.Values.Select(e => e.RedactedBy).OfType<long>().Distinct()], ct);
        return [.. eventNids.Select(nid => See(stored[nid], redactions))];
    }

    static VisibleEvent See(StoredEvent stored, Dictionary<long, StoredEvent> redactions)
    {
        var pdu = Parse(stored);
        return stored.RedactedBy is { } by ? new VisibleEvent(pdu.Redact(), Parse(redactions[by])) : new VisibleEvent(pdu, null);
    }

    static Pdu Parse(StoredEvent stored) => Pdu.FromStored(stored.EventId, stored.Json, stored.Rules);
}

readonly record struct VisibleEvent(Pdu Pdu, Pdu? RedactedBecause)
{
    /// <summary>In the client format.</summary>
    public byte[] Encode() => ClientEvent.Encode(Pdu, RedactedBecause is { } redaction
        ? ClientEventOptions.Default with { RedactedBecause = ClientEvent.Encode(redaction) }
        : ClientEventOptions.Default);
}
