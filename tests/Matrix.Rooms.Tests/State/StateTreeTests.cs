using CsCheck;
using Matrix.Protocol;
using Matrix.Rooms.State;
using Matrix.Storage.Caching;
using Matrix.Storage.Rooms;
using Npgsql;

namespace Matrix.Rooms.Tests.State;

public sealed class StateTreeTests
{
    static readonly string[] Types = ["m.room.member", "m.room.name", "org.example.type"];

    // Few keys, so that assignments meet; some long ones, so that leaves split early.
    static readonly Gen<StateKeyPair> Key = Gen.Select(
        Gen.Int[0, 2],
        Gen.Int[0, 400],
        (type, i) => new StateKeyPair(Types[type], i == 0 ? "" : $"@user{i}:{new string('x', i % 7 * 30)}"));

    static readonly Gen<StateAssignment[]> Assignments = Gen.Select(
        Key, Gen.Long[1, 1 << 20], Gen.Int[0, 3], (key, nid, kind) => new StateAssignment(key, kind == 0 ? null : nid)).Array[0, 120];

    [Fact]
    public async Task A_tree_holds_what_a_dictionary_holds_and_equal_states_have_equal_roots() =>
        await Assignments.Array[1, 6].SampleAsync(async steps =>
        {
            var tree = InMemory();
            var expected = new Dictionary<StateKeyPair, long>();
            var root = StateTree.Empty;
            foreach (var step in steps)
            {
                var assignments = step.DistinctBy(a => a.Key).ToArray();
                root = (await tree.Set(root, assignments, default)).Root;
                Apply(expected, assignments);
            }

            Assert.Equal(expected, (await tree.ReadAll(root, default)).ToDictionary(e => e.Key, e => e.EventNid));
            var keys = steps.SelectMany(s => s.Select(a => a.Key)).Append(new StateKeyPair("absent", "")).ToArray();
            Assert.Equal(keys.Select(k => expected.TryGetValue(k, out var nid) ? nid : (long?)null), await tree.Find(root, keys, default));
            Assert.Equal(root, (await tree.Set(StateTree.Empty, [.. expected.Select(e => new StateAssignment(e.Key, e.Value))], default)).Root);
        }, iter: 300);

    [Fact]
    public async Task A_difference_is_what_differs_between_the_dictionaries() =>
        await Gen.Select(Assignments, Assignments, Assignments).SampleAsync(async (common, left, right) =>
        {
            var tree = InMemory();
            var start = (await tree.Set(StateTree.Empty, [.. common.DistinctBy(a => a.Key)], default)).Root;
            var a = (await tree.Set(start, [.. left.DistinctBy(x => x.Key)], default)).Root;
            var b = (await tree.Set(start, [.. right.DistinctBy(x => x.Key)], default)).Root;

            var before = (await tree.ReadAll(a, default)).ToDictionary(e => e.Key, e => (long?)e.EventNid);
            var after = (await tree.ReadAll(b, default)).ToDictionary(e => e.Key, e => (long?)e.EventNid);
            var expected = before.Keys.Union(after.Keys)
                .Select(k => new StateDifference(k, before.GetValueOrDefault(k), after.GetValueOrDefault(k)))
                .Where(d => d.Before != d.After).ToHashSet();
            var found = await tree.Diff(a, b, default);
            Assert.Equal(expected.Count, found.Count);
            Assert.Equal(expected, found.ToHashSet());
        }, iter: 300);

    [Fact]
    public async Task The_new_nodes_of_an_update_are_all_that_a_reader_of_the_old_state_lacks() =>
        await Gen.Select(Assignments, Assignments).SampleAsync(async (first, second) =>
        {
            var known = new Dictionary<StateNodeId, StateNode>();
            var root = StateTree.Empty;
            foreach (var step in new[] { first, second })
            {
                var update = StateTreeUpdate.Apply(new StateNodeSet(known.GetValueOrDefault), root, [.. step.DistinctBy(a => a.Key)]);
                Assert.NotNull(update);
                foreach (var node in update.NewNodes)
                    known[node.Id] = node;
                root = update.Root;
            }
            Assert.Equal(root == StateTree.Empty, !known.ContainsKey(root));
            Assert.All(known, n => Assert.Equal(n.Key, StateNode.FromData(n.Value.Data.ToArray()).Id));
        }, iter: 200);

    [Fact]
    public async Task Setting_what_is_there_already_writes_nothing()
    {
        var tree = InMemory();
        var name = new StateAssignment(new StateKeyPair("m.room.name", ""), 7);
        var first = await tree.Set(StateTree.Empty, [name], default);
        var again = await tree.Set(first.Root, [name], default);
        Assert.Equal(first.Root, again.Root);
        Assert.Empty(again.NewNodes);
    }

    [Fact]
    public async Task A_membership_change_costs_the_same_at_a_hundred_thousand_members_as_at_a_thousand()
    {
        var tree = InMemory();
        var (small, smallMost, smallEntry) = await CostOfJoins(tree, 1_000);
        var (large, largeMost, largeEntry) = await CostOfJoins(tree, 100_000);
        Assert.True(largeEntry <= smallEntry * 1.5, $"{smallEntry} bytes for a state event at 1,000 members, {largeEntry} at 100,000");
        Assert.True(largeMost <= 4096, $"one change wrote {largeMost} bytes");
        Assert.True(smallMost <= 4096, $"one change wrote {smallMost} bytes");
        Assert.True(large <= small * 1.5, $"{small} bytes for a change at 1,000 members, {large} at 100,000");
    }

    static async Task<(double Average, int Most, double Entry)> CostOfJoins(StateTree tree, int members)
    {
        var whole = await tree.Set(StateTree.Empty, [.. Enumerable.Range(0, members).Select(Member)], default);
        var root = whole.Root;
        var entry = whole.NewNodes.Sum(n => (double)n.Data.Length + StateNodeId.Size) / members;
        var nodes = 0;
        var costs = new List<int>();
        for (var i = 0; i < 500; i++)
        {
            var update = await tree.Set(root, [Member(members + i)], default);
            costs.Add(update.NewNodes.Sum(n => n.Data.Length + StateNodeId.Size));
            nodes += update.NewNodes.Count;
        }
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{members} members: a change writes {nodes / 500.0:F1} nodes, {costs.Average():F0} bytes, at most {costs.Max()}; the whole state {entry:F1} bytes an entry");
        return (costs.Average(), costs.Max(), entry);
    }

    static StateAssignment Member(int i) => new(new StateKeyPair("m.room.member", $"@member{i}:matrix.example.org"), 1_000_000 + i);

    static void Apply(Dictionary<StateKeyPair, long> state, IEnumerable<StateAssignment> assignments)
    {
        foreach (var (key, nid) in assignments)
        {
            if (nid is { } value)
                state[key] = value;
            else
                state.Remove(key);
        }
    }

    /// <summary>A tree whose cache holds every node: its data source leads nowhere.</summary>
    static StateTree InMemory() => new(new StateNodeStore(NpgsqlDataSource.Create("Host=nowhere.invalid")), new StateNodeCache(new Caches(new CacheOptions()), 2L << 30));
}
