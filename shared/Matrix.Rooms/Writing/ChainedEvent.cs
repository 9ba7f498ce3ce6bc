using Matrix.Protocol;
using Matrix.Rooms.Resolution;
using Matrix.Rooms.State;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Writing;

/// <summary>An event of a chain, with the state before it, and the room's current state once it is there.</summary>
/// <param name="Replaced">Of a state event: what stood at its place before.</param>
/// <param name="Blanks">Of a redaction: the place whose current state it redacts.</param>
/// <param name="Redacts">Of a redaction that counts: the event that it redacts.</param>
sealed record ChainedEvent(
    long EventNid, Pdu Pdu, StateNodeId StateBefore, StateNodeId RoomState, Pdu? Replaced = null, StateKeyPair? Blanks = null,
    EventId? Redacts = null)
{
    /// <summary>Of a state event: its place in the auth index; null if it has none yet.</summary>
    public AuthPlacement? Placement { get; init; }

    /// <summary>Null: the room's state changes by this event alone, or not at all.</summary>
    public StateMerge? Merge { get; init; }

    /// <summary>The event whose bundled aggregations this one changes.</summary>
    public string? Related { get; init; }

    /// <summary>Null: made here.</summary>
    public ReceivedPdu? Received { get; init; }
}

/// <summary>A change of a room's state that is not simply the event at which it happens.</summary>
/// <param name="Events">The events that stood at places that are kept in tables, and that stand there now.</param>
/// <param name="Redacted">Which of them are redacted.</param>
/// <param name="Counts">By how much the numbers of joined and invited users change, if that does not follow from the differences.</param>
sealed record StateMerge(
    IReadOnlyList<StateDifference> Differences, IReadOnlyDictionary<long, Pdu> Events, IReadOnlySet<long> Redacted, (int Joined, int Invited)? Counts = null)
{
    public Pdu? Find(long? eventNid) => eventNid is { } nid ? Events.GetValueOrDefault(nid) : null;

    public bool IsRedacted(long? eventNid) => eventNid is { } nid && Redacted.Contains(nid);

    public IEnumerable<StateDifference> Members => Differences.Where(d => d.Key.Type == EventTypes.Member);
}

/// <summary>An event of another server that is authorised, with what is known of its surroundings.</summary>
/// <param name="Follows">The accepted events that it comes after; they are ends of the room no longer.</param>
/// <param name="WasOutlier">It is stored already, and gets its place in the room now.</param>
/// <param name="MissingPrev">Those of its prev events that are not here.</param>
/// <param name="Redaction">The number of a redaction that came before it and counts.</param>
sealed record ReceivedPdu(
    long EventNid, Pdu Pdu, StateUpdate Before, IReadOnlyCollection<CitedEvent> Cited, IReadOnlySet<EventId> Follows, bool WasOutlier,
    IReadOnlyList<EventId> MissingPrev, StoredEvent? Redacted, long? Redaction)
{
    /// <summary>Positions to leave free below it, for what is missing. It is the first of its change.</summary>
    public long Skips { get; init; }

    /// <summary>Has this server to pass it on to all servers of the room?</summary>
    public bool IsRelayed { get; init; }

    /// <summary>A redaction whose target has not come yet.</summary>
    public bool AwaitsTarget => Pdu.Redacts is not null && Redacted is null;
}
