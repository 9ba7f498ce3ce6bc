using System.Text.Json;
using Matrix.Protocol;
using Matrix.Replication;

namespace Matrix.Rooms;

/// <summary>An event that somebody wants to send: what the client says, before it has a place in the room.</summary>
/// <param name="StateKey">Null: not a state event.</param>
/// <param name="Content">A JSON object in any form.</param>
/// <param name="Redacts">The event to redact. Where it goes depends on the room's version.</param>
public sealed record EventDraft(UserId Sender, string Type, string? StateKey, ReadOnlyMemory<byte> Content, EventId? Redacts = null)
{
    public static EventDraft Message(UserId sender, string type, ReadOnlyMemory<byte> content) => new(sender, type, null, content);

    public static EventDraft State(UserId sender, string type, string stateKey, ReadOnlyMemory<byte> content) => new(sender, type, stateKey, content);

    /// <summary>A state event whose content is made here.</summary>
    internal static EventDraft State(UserId sender, string type, string stateKey, object content) =>
        new(sender, type, stateKey, JsonSerializer.SerializeToUtf8Bytes(content));
}

/// <summary>What a client may repeat without doing it twice: a device's own name for a request (C-S API, Transaction identifiers).</summary>
/// <param name="Endpoint">Where it was used: at another endpoint it names another request.</param>
public readonly record struct TransactionId(UserId UserId, DeviceId DeviceId, string TxnId, string Endpoint = TransactionId.Send)
{
    public const string Send = "send";
    public const string Redact = "redact";
}

/// <param name="Position">
/// Of the newest event that was written: whoever waits for it sees the event. <see cref="LogPosition.Start"/> if nothing had to be written.
/// </param>
public readonly record struct SentEvent(EventId EventId, LogPosition Position);
