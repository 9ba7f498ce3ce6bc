namespace Matrix.Protocol;

/// <summary>What <see cref="ClientEvent"/> adds to an event. Members that are null or empty are left out.</summary>
public sealed record ClientEventOptions
{
    /// <summary>With <c>room_id</c> and nothing in <c>unsigned</c>.</summary>
    public static ClientEventOptions Default { get; } = new();

    /// <summary>Without <c>room_id</c>, as /sync wants it.</summary>
    public static ClientEventOptions WithoutRoomId { get; } = new() { IncludeRoomId = false };

    /// <summary>With <c>room_id</c>?</summary>
    public bool IncludeRoomId { get; init; } = true;

    /// <summary><c>unsigned.age</c>, in milliseconds.</summary>
    public long? Age { get; init; }

    /// <summary><c>unsigned.transaction_id</c>: only for the device that sent the event.</summary>
    public string? TransactionId { get; init; }

    /// <summary><c>unsigned.membership</c>: the requester's membership at the event.</summary>
    public string? Membership { get; init; }

    /// <summary><c>unsigned.prev_content</c>, as JSON.</summary>
    public ReadOnlyMemory<byte> PrevContent { get; init; }

    /// <summary><c>unsigned.replaces_state</c>: the state event that this one replaced.</summary>
    public EventId? ReplacesState { get; init; }

    /// <summary><c>unsigned.prev_sender</c>: who sent the state event that this one replaced.</summary>
    public UserId? PrevSender { get; init; }

    /// <summary><c>unsigned.redacted_because</c>: the redaction in client format, as JSON.</summary>
    public ReadOnlyMemory<byte> RedactedBecause { get; init; }

    /// <summary><c>unsigned.m.relations</c>: bundled aggregations, as JSON.</summary>
    public ReadOnlyMemory<byte> Relations { get; init; }

    internal bool HasUnsigned =>
        Age is not null || TransactionId is not null || Membership is not null || ReplacesState is not null || PrevSender is not null
        || !PrevContent.IsEmpty || !RedactedBecause.IsEmpty || !Relations.IsEmpty;
}
