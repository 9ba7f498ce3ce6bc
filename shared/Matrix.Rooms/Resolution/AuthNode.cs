using Matrix.Rooms.State;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Resolution;

/// <summary>
/// Where a state event stands among the auth chains, and what of every chain is in its own: up to which sequence. Immutable. What a node has in common
/// with one in its auth chain that has its reach complete (the base) is not written down again.
/// </summary>
sealed class AuthNode
{
    /// <summary>A reach of so few chains is always written down whole.</summary>
    const int Small = 12;

    readonly AuthPlace[] own;

    AuthNode(long eventNid, AuthPlace place, AuthNode? @base, AuthPlace[] own) =>
        (EventNid, Place, Base, this.own) = (eventNid, place, @base, own);

    public long EventNid { get; }

    public AuthPlace Place { get; }

    /// <summary>The bytes of its reach, without that of its base.</summary>
    public long Weight => 24 + 16L * own.Length;

    /// <summary>A complete node, itself in the auth chain of this one; null if this one is complete.</summary>
    public AuthNode? Base { get; }

    /// <summary>The node of an event that cites these.</summary>
    /// <param name="predecessor">The one of them whose chain it goes on; null: it begins a chain.</param>
    public static AuthNode Create(long eventNid, AuthNode? predecessor, IReadOnlyCollection<AuthNode> cited)
    {
        var place = predecessor is { Place: var last } ? last with { Sequence = last.Sequence + 1 } : new AuthPlace(eventNid, 1);
        var reach = new Dictionary<long, int>();
        foreach (var node in cited)
            node.AddWithSelf(reach);
        if (reach.Count <= Small)
            return new AuthNode(eventNid, place, null, Sorted(reach));
        var shared = cited.Select(node => node.Base ?? node).MaxBy(node => node.own.Length)!;
        var beyond = reach.Where(r => r.Value > shared.ReachWithSelf(r.Key)).ToList();
        return beyond.Count * 2 <= reach.Count
            ? new AuthNode(eventNid, place, shared, Sorted(beyond))
            : new AuthNode(eventNid, place, null, Sorted(reach));
    }

    public static AuthNode Read(AuthIndexRow row, AuthNode? @base)
    {
        var own = new List<AuthPlace>();
        long chain = 0;
        for (var at = 0; at < row.Reach.Length;)
        {
            chain += (long)Varint.Read(row.Reach, ref at);
            own.Add(new AuthPlace(chain, (int)Varint.Read(row.Reach, ref at)));
        }
        return new AuthNode(row.EventNid, new AuthPlace(row.Chain, row.Sequence), @base, [.. own]);
    }

    /// <summary>Pairs in order of chain, each chain as the difference to the one before.</summary>
    public byte[] WriteReach()
    {
        var bytes = new byte[own.Length * 15];
        var (at, last) = (0, 0L);
        foreach (var (chain, sequence) in own)
        {
            at += Varint.Write(bytes.AsSpan(at), (ulong)(chain - last));
            at += Varint.Write(bytes.AsSpan(at), (ulong)sequence);
            last = chain;
        }
        return bytes[..at];
    }

    /// <summary>The last event of the chain that is in this one's auth chain; 0: none.</summary>
    public int ReachOf(long chain)
    {
        var index = Array.BinarySearch(own, new AuthPlace(chain, 0), ByChain.Instance);
        return Math.Max(index >= 0 ? own[index].Sequence : 0, Base?.ReachWithSelf(chain) ?? 0);
    }

    /// <summary>Is what stands there in this one's auth chain?</summary>
    public bool Reaches(AuthPlace place) => ReachOf(place.Chain) >= place.Sequence;

    /// <summary>Raises what was reached so far by what this one reaches.</summary>
    public void AddTo(Dictionary<long, int> reach)
    {
        Base?.AddWithSelf(reach);
        foreach (var place in own)
            Raise(reach, place);
    }

    /// <summary>The same for many nodes, most of which share a base: each base is looked at once.</summary>
    public void AddTo(Dictionary<long, int> reach, HashSet<AuthNode> bases)
    {
        if (Base is { } shared && bases.Add(shared))
            shared.AddWithSelf(reach);
        foreach (var place in own)
            Raise(reach, place);
    }

    int ReachWithSelf(long chain) => Math.Max(ReachOf(chain), chain == Place.Chain ? Place.Sequence : 0);

    void AddWithSelf(Dictionary<long, int> reach)
    {
        AddTo(reach);
        Raise(reach, Place);
    }

    static void Raise(Dictionary<long, int> reach, AuthPlace place)
    {
        if (reach.GetValueOrDefault(place.Chain) < place.Sequence)
            reach[place.Chain] = place.Sequence;
    }

    static AuthPlace[] Sorted(IEnumerable<KeyValuePair<long, int>> reach)
    {
        AuthPlace[] places = [.. reach.Select(r => new AuthPlace(r.Key, r.Value))];
        Array.Sort(places, ByChain.Instance);
        return places;
    }

    sealed class ByChain : IComparer<AuthPlace>
    {
        public static readonly ByChain Instance = new();

        public int Compare(AuthPlace x, AuthPlace y) => x.Chain.CompareTo(y.Chain);
    }
}
