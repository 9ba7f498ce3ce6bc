namespace Matrix.FederationSender.Queues;

/// <summary>Something that is told beside events.</summary>
/// <param name="Key">What it replaces: of those with the same key only the newest is sent.</param>
/// <param name="Position">Of its log entry: such an EDU is found again by a destination that was away. 0: it is only good at the moment.</param>
abstract record OutgoingEdu(string Key, long Position);

/// <param name="Content">JSON: the content of the EDU.</param>
sealed record PlainEdu(string Type, string Key, long Position, byte[] Content) : OutgoingEdu($"{Type} {Key}", Position);

/// <summary>A user's presence; those of several users go into one EDU.</summary>
/// <param name="Push">JSON.</param>
sealed record PresenceEdu(string UserId, byte[] Push) : OutgoingEdu($"m.presence {UserId}", 0);

/// <summary>A user's receipt; those of several users and rooms go into one EDU.</summary>
/// <param name="Thread">A thread root, <c>main</c>, or empty for the whole room.</param>
sealed record ReceiptEdu(string RoomId, string UserId, string EventId, string Thread, long Ts, long Position)
    : OutgoingEdu($"m.receipt {RoomId} {UserId} {Thread}", Position);
