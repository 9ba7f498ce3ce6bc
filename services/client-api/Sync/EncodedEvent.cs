using Matrix.Protocol;
using Matrix.Storage.Rooms;

namespace Matrix.ClientApi.Sync;

/// <summary>
/// An event with its bytes as clients get them, ready to be spliced into answers. Never changes; a redaction replaces it in the cache.
/// </summary>
/// <param name="Nid">events.event_nid.</param>
/// <param name="Position">Its place in the room's timeline; null for an event that is only part of a state.</param>
/// <param name="Head">The client format without <c>room_id</c>, <c>unsigned</c> and the closing brace.</param>
/// <param name="Content">The <c>content</c> object: a slice of <paramref name="Head"/>.</param>
/// <param name="Membership">content.membership of an m.room.member event.</param>
/// <param name="Redacts">The event that an m.room.redaction asks to redact.</param>
/// <param name="RedactedBy">event_nid of the redaction that applies; the bytes are those of the redacted event.</param>
/// <param name="DeviceId">The local device that sent it with <paramref name="TransactionId"/>: that device alone is told the latter.</param>
sealed record EncodedEvent(
    long Nid,
    string EventId,
    long RoomNid,
    string RoomId,
    long? Position,
    string Type,
    string? StateKey,
    string Sender,
    long OriginServerTs,
    ReadOnlyMemory<byte> Head,
    ReadOnlyMemory<byte> Content,
    string? Membership,
    string? Redacts,
    StateNodeId? StateBefore,
    StateNodeId? RoomState,
    long? RedactedBy,
    string? DeviceId,
    string? TransactionId,
    RoomVersionRules Rules)
{
    /// <summary>event_nid of the state event that this state event replaced: 0 for none, null until somebody asked.</summary>
    public long? Replaces { get; set; }

    /// <summary>Is this what <see cref="Redact"/> left of it?</summary>
    public bool IsCut { get; private init; }

    public bool IsState => StateKey is not null;

    /// <summary>Bytes of memory, roughly.</summary>
    public long Weight => 400 + Head.Length;

    /// <summary>What a redaction would leave of it, for a reader who is shown no more: its sender was erased, or is ignored.</summary>
    public EncodedEvent Redact()
    {
        var json = Redaction.Redact((byte[])[.. Head.Span, (byte)'}'], Rules);
        return this with { Head = json.AsMemory(0, json.Length - 1), Content = ClientEvent.Content(json), Replaces = 0, IsCut = true };
    }

    public bool IsMembershipOf(string userId) => Type == "m.room.member" && StateKey == userId;
}
