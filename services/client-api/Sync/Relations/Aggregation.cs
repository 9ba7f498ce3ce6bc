using System.Collections.Frozen;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync.Relations;

/// <summary>What relates to an event, the same for all readers.</summary>
/// <param name="Edit">event_nid of the newest replacement; 0 for none.</param>
sealed record Aggregation(long Edit, ThreadSummary? Thread, IReadOnlyList<ReferenceRow> References)
{
    public static readonly Aggregation None = new(0, null, []);

    /// <summary>Bytes of memory, roughly.</summary>
    public long Weight => this == None ? 0 : 200 + (100 * (References.Count + (Thread?.Participants.Count ?? 0)));
}

sealed record ThreadSummary(int Count, long Latest, long LatestPosition, FrozenSet<string> Participants);

/// <summary>What one reader is shown of that: <c>unsigned.m.relations</c>.</summary>
sealed record Bundle(EncodedEvent? Edit, ThreadBundle? Thread, IReadOnlyList<string> References)
{
    public bool IsEmpty => Edit is null && Thread is null && References.Count == 0;
}

sealed record ThreadBundle(int Count, EncodedEvent Latest, bool Participated);
