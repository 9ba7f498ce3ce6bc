using Matrix.Protocol;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Fetching;

/// <summary>An event of a room's past that is to get its place there.</summary>
/// <param name="Rejected">Why the rules forbid it, or null. It keeps a place in the graph, and gets none in the timeline.</param>
/// <param name="MissingPrev">Those of its prev events that are not here.</param>
sealed record OldEvent(long EventNid, Pdu Pdu, StateNodeId Before, StateNodeId After, string? Rejected, bool WasOutlier, IReadOnlyList<EventId> MissingPrev);

/// <summary>A page of a room's past.</summary>
/// <param name="Gap">Where it belongs.</param>
/// <param name="Events">Each after those that it builds on.</param>
/// <param name="Redacted">What is redacted, and by which event.</param>
/// <param name="Older">What was given too, and belongs into an older gap.</param>
/// <param name="Due">Redactions whose target has not come, and that target.</param>
sealed record OldPage(
    Room Room, TimelineGap Gap, IReadOnlyList<OldEvent> Events, IReadOnlyList<EventId> Older, IReadOnlyDictionary<EventId, long> Redacted, IReadOnlyList<(long Redaction, EventId Target)> Due);
