using System.Buffers;
using System.Text.Json;
using Matrix.Storage.Federation;

namespace Matrix.FederationSender.Queues;

/// <summary>What is sent to a destination at once (Server-Server API, Transactions).</summary>
/// <param name="UpTo">Once delivered, everything up to here is; 0: it says nothing of that.</param>
sealed record FederationTransaction(
    IReadOnlyList<OutgoingPdu> Pdus, IReadOnlyList<OutgoingEdu> Edus, IReadOnlyList<OutgoingMessage> Messages, long UpTo)
{
    public int Count => Pdus.Count + Edus.Count + Messages.Count;

    public bool IsEmpty => Count == 0;

    /// <summary>One that has more than one thing in it, as two: events stay in their order, and before what is told beside them.</summary>
    public FederationTransaction[] Halves() => this switch
    {
        { Pdus.Count: > 0 } when Edus.Count + Messages.Count > 0 => [new(Pdus, [], [], 0), new([], Edus, Messages, 0)],
        { Edus.Count: > 0, Messages.Count: > 0 } => [new([], [], Messages, 0), new([], Edus, [], 0)],
        _ => [new(Half(Pdus, 0), Half(Edus, 0), Half(Messages, 0), 0), new(Half(Pdus, 1), Half(Edus, 1), Half(Messages, 1), 0)],
    };

    /// <summary>Each of its events and messages as a transaction of its own.</summary>
    public IEnumerable<FederationTransaction> Each() =>
        Pdus.Select(pdu => new FederationTransaction([pdu], [], [], 0)).Concat(Messages.Select(message => new FederationTransaction([], [], [message], 0)));

    public ReadOnlyMemory<byte> Write(string origin, long now)
    {
        var output = new ArrayBufferWriter<byte>(512 + Pdus.Sum(pdu => pdu.Json.Length + 1) + 300 * Edus.Count + Messages.Sum(message => message.Edu.Length + 50));
        using var json = new Utf8JsonWriter(output, new JsonWriterOptions { SkipValidation = true });
        json.WriteStartObject();
        json.WriteStartArray("edus"u8);
        foreach (var message in Messages)
            Plain(json, "m.direct_to_device", message.Edu);
        foreach (var edu in Edus.OfType<PlainEdu>())
            Plain(json, edu.Type, edu.Content);
        Presence(json);
        Receipts(json);
        json.WriteEndArray();
        json.WriteString("origin"u8, origin);
        json.WriteNumber("origin_server_ts"u8, now);
        json.WriteStartArray("pdus"u8);
        foreach (var pdu in Pdus)
            json.WriteRawValue(pdu.Json, skipInputValidation: true);
        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        return output.WrittenMemory;
    }

    static T[] Half<T>(IReadOnlyList<T> all, int which) => [.. which == 0 ? all.Take(all.Count / 2) : all.Skip(all.Count / 2)];

    static void Plain(Utf8JsonWriter json, string type, byte[] content)
    {
        json.WriteStartObject();
        json.WritePropertyName("content"u8);
        json.WriteRawValue(content, skipInputValidation: true);
        json.WriteString("edu_type"u8, type);
        json.WriteEndObject();
    }

    void Presence(Utf8JsonWriter json)
    {
        if (!Edus.OfType<PresenceEdu>().Any())
            return;
        json.WriteStartObject();
        json.WriteStartObject("content"u8);
        json.WriteStartArray("push"u8);
        foreach (var edu in Edus.OfType<PresenceEdu>())
            json.WriteRawValue(edu.Push, skipInputValidation: true);
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteString("edu_type"u8, "m.presence"u8);
        json.WriteEndObject();
    }

    // A user can have one receipt in a room of an EDU: those for other threads go into further ones.
    void Receipts(Utf8JsonWriter json)
    {
        var layers = Edus.OfType<ReceiptEdu>().GroupBy(edu => (edu.RoomId, edu.UserId)).SelectMany(own => own.Index()).ToLookup(edu => edu.Index, edu => edu.Item);
        foreach (var layer in layers)
        {
            json.WriteStartObject();
            json.WriteStartObject("content"u8);
            foreach (var room in layer.GroupBy(edu => edu.RoomId))
            {
                json.WriteStartObject(room.Key);
                json.WriteStartObject("m.read"u8);
                foreach (var edu in room)
                    Receipt(json, edu);
                json.WriteEndObject();
                json.WriteEndObject();
            }
            json.WriteEndObject();
            json.WriteString("edu_type"u8, "m.receipt"u8);
            json.WriteEndObject();
        }
    }

    static void Receipt(Utf8JsonWriter json, ReceiptEdu edu)
    {
        json.WriteStartObject(edu.UserId);
        json.WriteStartObject("data"u8);
        if (edu.Thread.Length > 0)
            json.WriteString("thread_id"u8, edu.Thread);
        json.WriteNumber("ts"u8, edu.Ts);
        json.WriteEndObject();
        json.WriteStartArray("event_ids"u8);
        json.WriteStringValue(edu.EventId);
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
