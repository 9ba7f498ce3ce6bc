using Matrix.Protocol;

namespace Matrix.Storage.Rooms;

/// <summary>An event as it is stored, with what the server knows about it.</summary>
/// <param name="Json">Canonical JSON as it was signed, even if the event was redacted since: see <see cref="RedactedBy"/>.</param>
/// <param name="Position">In the log; null: outlier or rejected; negative, descending: backfilled history.</param>
/// <param name="StateBefore">The state that the event was authorised in; null: outlier.</param>
/// <param name="RoomState">The room's current state once the event's position is reached, of fetched history the state after the event; null: outlier or rejected.</param>
/// <param name="Rejected">Why it was rejected, or null.</param>
/// <param name="RedactedBy">The number of the redaction that applies to it. What is shown of it must go through the redaction.</param>
public sealed record StoredEvent(
    long EventNid, EventId EventId, long RoomNid, RoomVersionRules Rules, long? Position, long Depth, string Type, string? StateKey, UserId Sender,
    long OriginServerTs, ReadOnlyMemory<byte> Json, StateNodeId? StateBefore, StateNodeId? RoomState, string? Rejected, bool SoftFailed,
    long? RedactedBy)
{
    /// <summary>The room's members are not known yet: the states before and after it are not the last word.</summary>
    public bool IsTentative { get; init; }

    /// <summary>The room was left or joined anew before its members were known: the states before and after it stay without them.</summary>
    public bool IsHalfKnown { get; init; }
}
