using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Resolution;

/// <summary>
/// What lies on the paths of auth events between conflicted events. In a chain these are the events from the first that has a conflicted one in its auth
/// chain up to the last that is in the auth chain of a conflicted one. The first is found by halving, of all chains at once.
/// </summary>
sealed class ConflictedSubgraph(AuthIndex index, AuthIndexStore store)
{
    public async ValueTask<IReadOnlyList<long>> Find(IReadOnlyCollection<AuthNode> conflicted, CancellationToken ct)
    {
        var reach = new Dictionary<long, int>();
        foreach (var node in conflicted)
            node.AddTo(reach);
        var chains = reach.Select(r => new Search(r.Key, r.Value)).ToList();
        for (var open = chains; open.Count > 0; open = [.. chains.Where(chain => !chain.Done)])
        {
            var nodes = (await index.FindAt([.. open.Select(chain => chain.Next)], ct)).ToDictionary(node => node.Place);
            foreach (var chain in open)
                chain.Tell(conflicted.Any(c => nodes[chain.Next].Reaches(c.Place)));
        }
        var ranges = chains.Where(chain => chain.After < chain.UpTo).Select(chain => (chain.Chain, chain.After, chain.UpTo)).ToList();
        var between = ranges.Count == 0 ? [] : await store.ListRanges(ranges, ct);
        return [.. between.Union(conflicted.Select(node => node.EventNid))];
    }

    /// <summary>Looks for the last event of a chain that has no conflicted event in its auth chain.</summary>
    sealed class Search(long chain, int upTo)
    {
        int low;
        int high = upTo + 1;
        bool begun;

        public long Chain => chain;

        public int UpTo => upTo;

        public int After => low;

        public bool Done => high - low <= 1;

        // most chains have nothing, and their last event says so
        public AuthPlace Next => new(chain, begun ? (low + high) / 2 : upTo);

        public void Tell(bool hasConflicted)
        {
            if (hasConflicted)
                high = Next.Sequence;
            else
                low = Next.Sequence;
            begun = true;
        }
    }
}
