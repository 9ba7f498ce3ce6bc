using Matrix.Protocol;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync.Visibility;

/// <summary>A visibility event of a room, or a membership event of one user in it.</summary>
readonly record struct SightEvent(long Position, string? Value);

/// <summary>The positions of a timeline that a user may see: from the first up to and including the second.</summary>
readonly record struct SightStretch(long From, long To);

/// <summary>
/// What a user may see of a room (Client-Server API, "Room History Visibility"), as stretches of its timeline: what lies between them need not be
/// read at all. In a room whose branches went apart the state at an event may differ from what its place in the timeline says; there
/// <see cref="VisibilityFilter"/> decides by the state.
/// </summary>
sealed class Sight
{
    readonly List<SightStretch> stretches = [];
    readonly IReadOnlyList<SightEvent> memberships;

    /// <param name="visibilities">Oldest first.</param>
    /// <param name="memberships">The user's own, oldest first.</param>
    public Sight(string userId, IReadOnlyList<SightEvent> visibilities, IReadOnlyList<SightEvent> memberships, SightMembership? current)
    {
        (UserId, Current, this.memberships) = (userId, current, memberships);
        CurrentVisibility = HistoryVisibility.Parse(visibilities.Count > 0 ? visibilities[^1].Value : null);
        StayEnd = FindStayEnd(memberships);
        Walk(visibilities, memberships);
        SeesAll = stretches is [{ From: long.MinValue, To: long.MaxValue }]
            && visibilities.All(e => HistoryVisibility.Parse(e.Value) is HistoryVisibilityValue.Shared or HistoryVisibilityValue.WorldReadable);
    }

    public string UserId { get; }

    /// <summary>Null: the user never had one.</summary>
    public SightMembership? Current { get; }

    public HistoryVisibilityValue CurrentVisibility { get; }

    public bool IsJoined => Current?.Membership == "join";

    /// <summary>Every event of the room, whatever its state: nothing has to be looked at.</summary>
    public bool SeesAll { get; }

    /// <summary>
    /// The position at which the user's last stay ended, so that whatever came before was sent before a join or during a stay;
    /// <see cref="long.MaxValue"/> while it lasts, <see cref="long.MinValue"/> when there never was one.
    /// </summary>
    public long StayEnd { get; }

    public bool WasJoined => StayEnd != long.MinValue;

    public IReadOnlyList<SightStretch> Stretches => stretches;

    /// <summary>Was the user in the room when the event at this position was sent?</summary>
    public bool WasIn(long position)
    {
        var membership = "";
        foreach (var e in memberships)
        {
            if (e.Position >= position)
                break;
            membership = e.Value;
        }
        return membership == "join";
    }

    /// <summary>The stretches within (after, upTo], oldest first, as bounds of the same form.</summary>
    public IEnumerable<(long After, long UpTo)> Within(long after, long upTo)
    {
        foreach (var stretch in stretches)
        {
            var from = Math.Max(after, stretch.From == long.MinValue ? long.MinValue : stretch.From - 1);
            var to = Math.Min(upTo, stretch.To);
            if (from < to)
                yield return (from, to);
        }
    }

    public bool Includes(long position) => stretches.Exists(stretch => stretch.From <= position && position <= stretch.To);

    static long FindStayEnd(IReadOnlyList<SightEvent> memberships)
    {
        var end = long.MaxValue;
        for (var i = memberships.Count - 1; i >= 0; i--)
        {
            if (memberships[i].Value == "join")
                return end;
            end = memberships[i].Position;
        }
        return long.MinValue;
    }

    void Walk(IReadOnlyList<SightEvent> visibilities, IReadOnlyList<SightEvent> memberships)
    {
        var (visibility, membership) = (HistoryVisibilityValue.Shared, (string?)null);
        var from = long.MinValue;
        int v = 0, m = 0;
        while (v < visibilities.Count || m < memberships.Count)
        {
            var own = v == visibilities.Count || (m < memberships.Count && memberships[m].Position < visibilities[v].Position);
            var e = own ? memberships[m++] : visibilities[v++];
            var nextVisibility = own ? visibility : HistoryVisibility.Parse(e.Value);
            var nextMembership = own ? e.Value : membership;
            var joinedSince = e.Position <= StayEnd;
            if (HistoryVisibility.CanSee(visibility, membership, joinedSince))
                Add(from, e.Position - 1);
            if (VisibilityFilter.CanSeeChange(visibility, membership, nextVisibility, nextMembership, own, joinedSince))
                Add(e.Position, e.Position);
            (visibility, membership, from) = (nextVisibility, nextMembership, e.Position + 1);
        }
        if (HistoryVisibility.CanSee(visibility, membership, StayEnd == long.MaxValue))
            Add(from, long.MaxValue);
    }

    void Add(long from, long to)
    {
        if (from > to)
            return;
        if (stretches.Count > 0 && stretches[^1].To == from - 1)
            stretches[^1] = stretches[^1] with { To = to };
        else
            stretches.Add(new SightStretch(from, to));
    }
}
