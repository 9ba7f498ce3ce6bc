namespace Matrix.Protocol;

/// <summary>An event with what became of it when it was received.</summary>
/// <param name="IsRejected">Was it rejected? Rejected events cannot authorise others.</param>
public readonly record struct ResolutionEvent(Pdu Pdu, bool IsRejected);

/// <summary>
/// What state resolution asks about a room. Two kinds exist: events in memory (<see cref="MemoryResolutionSource"/>), and a store that answers
/// from an index over auth chains. Everything is asked in batches.
/// </summary>
public interface IStateResolutionSource
{
    /// <summary>These events; unknown ones are left out.</summary>
    ValueTask<IReadOnlyCollection<ResolutionEvent>> LoadEvents(IReadOnlyCollection<EventId> ids, CancellationToken ct);

    /// <summary>What all states agree on at these places; places where they differ, or have nothing, are left out.</summary>
    ValueTask<IReadOnlyDictionary<StateKeyPair, EventId>> FindUnconflicted(IReadOnlyCollection<StateKeyPair> keys, CancellationToken ct);

    /// <summary>
    /// The events that are in the auth chain of some state but not of every one (spec, Auth difference). The auth chain of a state is the union
    /// of those of its events; an event is not in its own.
    /// </summary>
    /// <param name="differing">Of each state, the events at the places where the states differ; the rest of each state is what all agree on.</param>
    ValueTask<IReadOnlyCollection<EventId>> FindAuthDifference(
        IReadOnlyList<IReadOnlyCollection<EventId>> differing, CancellationToken ct);

    /// <summary>The events on the paths of auth events between any two of these, ends included (spec, room version 12, Conflicted state subgraph).</summary>
    /// <remarks>Asked from version 2 on: before 12 such events are not resolved again, but chains lead through them.</remarks>
    ValueTask<IReadOnlyCollection<EventId>> FindSubgraph(IReadOnlyCollection<EventId> conflicted, CancellationToken ct);
}
