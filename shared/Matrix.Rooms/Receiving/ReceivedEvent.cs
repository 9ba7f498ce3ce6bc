using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms;

/// <summary>What became of an event of another server.</summary>
public enum Reception
{
    /// <summary>It is part of the room, and clients see it.</summary>
    Accepted,

    /// <summary>It was allowed where it was sent, but is not any more: nobody sees it, and nothing here builds on it.</summary>
    SoftFailed,

    /// <summary>The rules forbid it. It is kept so that others that build on it can be judged.</summary>
    Rejected,

    /// <summary>Nothing was done: events that it cites are not here. Fetch them as outliers first.</summary>
    MissingAuthEvents,

    /// <summary>Nothing was done: events that it builds on are not here. Fetch them first, or give the state before it.</summary>
    MissingPrevEvents,
}

/// <param name="Position">Of an accepted event; <see cref="LogPosition.Start"/> if it was here already.</param>
/// <param name="Reason">Why it was rejected.</param>
/// <param name="Missing">The events to fetch.</param>
public sealed record ReceivedEvent(
    EventId EventId, Reception Reception, LogPosition Position, string? Reason = null, IReadOnlyList<EventId>? Missing = null)
{
    /// <summary>What became of an event that was received before.</summary>
    internal static ReceivedEvent Past(StoredEvent stored) => new(stored.EventId,
        stored.Rejected is not null ? Reception.Rejected : stored.SoftFailed ? Reception.SoftFailed : Reception.Accepted, LogPosition.Start, stored.Rejected);
}
