using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using Matrix.Protocol;
using Matrix.Protocol.Tests;
using Matrix.Rooms.Resolution;
using Matrix.Rooms.State;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Tests.Forks;

/// <summary>The index over auth chains against a walk of the chains.</summary>
public sealed class AuthIndexTests : NodeTests
{
    [Theory]
    [InlineData("6")]
    [InlineData("12")]
    public async Task The_index_says_of_every_pair_of_events_what_a_walk_says_in_whatever_order_they_came(string version)
    {
        for (var seed = 1; seed <= 3; seed++)
        {
            var (room, pdus, nids) = await Store(new RandomRoom(seed, RoomVersions.Find(version)!).Grow(120), seed);
            // what is not cached is read
            await using var other = await RoomNode.Start(database);
            var nodes = await (seed % 2 == 0 ? node : other).Get<AuthIndex>().Find([.. nids.Values], default);
            var chains = Chains(pdus);
            foreach (var (id, chain) in chains)
            {
                var found = pdus.Keys.Where(other => nodes[nids[id]].Reaches(nodes[nids[other]].Place)).ToHashSet();
                Assert.Equal(chain.Order(), found.Order());
            }
            Assert.Empty(await node.Get<AuthIndexStore>().ListBacklog(room.RoomNid, default));
        }
    }

    [Theory]
    [InlineData("6")]
    [InlineData("12")]
    public async Task Differences_and_subgraphs_of_states_are_those_of_a_walk(string version)
    {
        for (var seed = 1; seed <= 3; seed++)
        {
            var random = new RandomRoom(seed, RoomVersions.Find(version)!).Grow(150);
            var (room, _, nids) = await Store(random, seed);
            foreach (var states in random.Meetings.Where(states => states.Count > 1))
            {
                var (unconflicted, differing) = StateResolution.Split([.. states]);
                if (differing.All(state => state.Count == 0))
                    continue;
                var memory = new MemoryResolutionSource(random.Events.Values, unconflicted);
                var root = (await node.Get<StateTree>().Set(
                    StateTree.Empty, [.. states[0].Select(e => new StateAssignment(e.Key, nids[e.Value]))], default)).Root;
                var keys = differing.SelectMany(state => state.Keys).ToHashSet();
                var stored = new StoredResolutionSource(room.RoomNid, root, keys, node.Get<StateTree>(), node.Events, node.Get<AuthIndex>(), node.Get<AuthIndexStore>());
                IReadOnlyList<IReadOnlyCollection<EventId>> sides = [.. differing.Select(state => state.Values.ToList())];
                Assert.Equal((await memory.FindAuthDifference(sides, default)).Order(), (await stored.FindAuthDifference(sides, default)).Order());
                var conflicted = sides.SelectMany(side => side).ToHashSet();
                Assert.Equal((await memory.FindSubgraph(conflicted, default)).Order(), (await stored.FindSubgraph(conflicted, default)).Order());
            }
        }
    }

    [Fact]
    public async Task An_auth_difference_costs_the_same_however_long_the_chains_are()
    {
        var costs = new List<int>();
        foreach (var length in new[] { 10, 120 })
            costs.Add(await CostOfDifference(length));
        Assert.Equal(costs[0], costs[1]);
        Assert.InRange(costs[0], 1, 16);
    }

    /// <summary>The queries for the difference of two states whose power levels were changed on both sides after a common line of this length.</summary>
    async Task<int> CostOfDifference(int length)
    {
        var rules = RoomVersions.Find("10")!;
        var line = new LongLine(rules, $"!long{length}:example.org", length);
        await using var fresh = await RoomNode.Start(database);
        var room = await node.Receiver.AddRoom(line.RoomId, rules, default);
        await node.Receiver.StoreOutliers(room, line.Pdus, default);
        var nids = (await node.Events.FindInRoom(room.RoomNid, [.. line.Pdus.Select(pdu => pdu.EventId)], default)).ToDictionary(e => e.EventId, e => e.EventNid);
        var update = await fresh.Get<StateTree>().Set(
            StateTree.Empty, [.. line.Left.Select(e => new StateAssignment(e.Key, nids[e.Value]))], default);
        var source = new StoredResolutionSource(room.RoomNid, update.Root, new HashSet<StateKeyPair> { new(EventTypes.PowerLevels, ""), new(EventTypes.Topic, "") },
            fresh.Get<StateTree>(), fresh.Events, fresh.Get<AuthIndex>(), fresh.Get<AuthIndexStore>());
        IReadOnlyList<IReadOnlyCollection<EventId>> sides = [LongLine.Differing(line.Left), LongLine.Differing(line.Right)];
        var queries = new ConcurrentQueue<string>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = s => s.Name == "Npgsql",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                if (activity.TagObjects.Any(tag => tag.Value as string == database.Name) && activity.GetTagItem("db.query.text") is string sql
                    && !sql.Contains("FROM log", StringComparison.Ordinal))
                    queries.Enqueue(sql);
            },
        };
        ActivitySource.AddActivityListener(listener);
        var difference = await source.FindAuthDifference(sides, default);
        Assert.Equal(line.Difference.Order(), difference.Order());
        return queries.Count;
    }

    /// <summary>Stores the events as outliers, in random order and in several pieces.</summary>
    async Task<(Room Room, Dictionary<EventId, Pdu> Pdus, Dictionary<EventId, long> Nids)> Store(RandomRoom random, int seed)
    {
        var pdus = random.Events.Values.Select(e => e.Pdu).ToArray();
        var room = await node.Receiver.AddRoom(pdus[0].RoomId, random.Rules, default);
        new Random(seed).Shuffle(pdus);
        node.Get<AuthBacklog>().Window = 7;
        foreach (var piece in pdus.Chunk(17))
            await node.Receiver.StoreOutliers(room, piece, default);
        var stored = await node.Events.FindInRoom(room.RoomNid, [.. pdus.Select(pdu => pdu.EventId)], default);
        return (room, pdus.ToDictionary(pdu => pdu.EventId), stored.ToDictionary(e => e.EventId, e => e.EventNid));
    }

    static Dictionary<EventId, HashSet<EventId>> Chains(Dictionary<EventId, Pdu> pdus)
    {
        var chains = new Dictionary<EventId, HashSet<EventId>>();
        HashSet<EventId> Chain(EventId id) => chains.TryGetValue(id, out var known) ? known
            : chains[id] = pdus[id].AuthEvents.SelectMany(parent => Chain(parent).Append(parent)).ToHashSet();
        foreach (var id in pdus.Keys)
            Chain(id);
        return chains;
    }

    /// <summary>A room whose power levels changed many times, then twice at once, with a topic set by each new power.</summary>
    sealed class LongLine
    {
        readonly RoomVersionRules rules;
        readonly List<Pdu> pdus = [];

        public LongLine(RoomVersionRules rules, string roomId, int length)
        {
            (this.rules, RoomId) = (rules, RoomId.Parse(roomId));
            var create = Add(EventTypes.Create, "", """{"creator":"@alice:example.org"}""", []);
            var member = Add(EventTypes.Member, TestRoom.Alice.ToString(), """{"membership":"join"}""", [create]);
            var levels = Add(EventTypes.PowerLevels, "", """{"users":{"@alice:example.org":100}}""", [create, member]);
            for (var i = 0; i < length; i++)
                levels = Add(EventTypes.PowerLevels, "", $$"""{"users":{"@alice:example.org":100},"n":{{i}}}""", [create, member, levels]);
            var sides = Enumerable.Range(0, 2).Select(side =>
            {
                var first = Add(EventTypes.PowerLevels, "", $$"""{"users":{"@alice:example.org":100},"side":{{side}}}""", [create, member, levels]);
                var second = Add(EventTypes.PowerLevels, "", $$"""{"users":{"@alice:example.org":100},"side":{{side}},"n":2}""", [create, member, first]);
                Difference.Add(first);
                var topic = Add(EventTypes.Topic, "", $$"""{"topic":"{{side}}"}""", [create, member, first]);
                return new Dictionary<StateKeyPair, EventId>
                {
                    [new(EventTypes.Create, "")] = create, [new(EventTypes.Member, TestRoom.Alice.ToString())] = member,
                    [new(EventTypes.PowerLevels, "")] = second, [new(EventTypes.Topic, "")] = topic,
                };
            }).ToList();
            (Left, Right) = (sides[0], sides[1]);
        }

        public RoomId RoomId { get; }

        public IReadOnlyList<Pdu> Pdus => pdus;

        public Dictionary<StateKeyPair, EventId> Left { get; }

        public Dictionary<StateKeyPair, EventId> Right { get; }

        public List<EventId> Difference { get; } = [];

        public static List<EventId> Differing(Dictionary<StateKeyPair, EventId> side) => [side[new(EventTypes.PowerLevels, "")], side[new(EventTypes.Topic, "")]];

        EventId Add(string type, string stateKey, string content, EventId[] cited)
        {
            var pdu = new PduBuilder
            {
                Type = type, StateKey = stateKey, Sender = TestRoom.Alice, RoomId = RoomId, Content = Encoding.UTF8.GetBytes(content),
                PrevEvents = pdus.Count > 0 ? [pdus[^1].EventId] : [], AuthEvents = cited, Depth = pdus.Count + 1, OriginServerTs = 1000 + pdus.Count,
            }.Build(rules, TestRoom.Server, TestRoom.Key);
            pdus.Add(pdu);
            return pdu.EventId;
        }
    }
}
