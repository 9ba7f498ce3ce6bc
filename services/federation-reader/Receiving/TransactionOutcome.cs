using System.Buffers;
using System.Collections.Concurrent;
using System.Text.Json;
using Matrix.Protocol;
using Matrix.Storage.Inbox;

namespace Matrix.FederationReader.Receiving;

/// <summary>What became of a transaction's events; rooms add to it at the same time.</summary>
sealed class TransactionOutcome
{
    readonly ConcurrentDictionary<string, string?> results = [];
    readonly ConcurrentQueue<StagedEvent> waiting = [];

    /// <summary>In their order within each room.</summary>
    public IReadOnlyList<StagedEvent> Waiting => [.. waiting];

    public void Accept(EventId eventId) => results[eventId.ToString()] = null;

    public void Refuse(EventId eventId, string reason) => results[eventId.ToString()] = reason;

    /// <summary>It is answered for, and taken later.</summary>
    public void Wait(long roomNid, Pdu pdu)
    {
        waiting.Enqueue(new StagedEvent(roomNid, pdu.EventId, pdu.Json));
        Accept(pdu.EventId);
    }

    /// <summary>The answer: <c>{"pdus": {"$id": {}, "$other": {"error": "…"}}}</c>.</summary>
    public byte[] Write()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteStartObject("pdus"u8);
        foreach (var (id, error) in results)
        {
            json.WriteStartObject(id);
            if (error is not null)
                json.WriteString("error"u8, error);
            json.WriteEndObject();
        }
        json.WriteEndObject();
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }
}
