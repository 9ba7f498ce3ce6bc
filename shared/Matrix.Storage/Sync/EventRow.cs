namespace Matrix.Storage.Sync;

/// <summary>An event as the tables have it, with what readers need beside it.</summary>
/// <param name="Version">The room's version.</param>
/// <param name="DeviceId">The local device that sent it with <paramref name="TxnId"/>, if one did.</param>
/// <param name="IsTentative">The room's members are not known yet: the states are not the last word.</param>
public sealed record EventRow(
    long EventNid,
    string EventId,
    long RoomNid,
    string RoomId,
    string Version,
    long? Position,
    string Type,
    string? StateKey,
    string Sender,
    long OriginServerTs,
    byte[] Json,
    byte[]? StateBefore,
    byte[]? RoomState,
    long? RedactedBy,
    string? DeviceId,
    string? TxnId,
    bool IsTentative = false);
