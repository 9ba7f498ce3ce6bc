using System.Text;
using State = System.Collections.Generic.Dictionary<Matrix.Protocol.StateKeyPair, Matrix.Protocol.EventId>;

namespace Matrix.Protocol.Tests;

/// <summary>Lines of power levels that fork and end at random, and what it costs to follow them.</summary>
public class MainlineTests
{
    [Theory]
    [InlineData("2")]
    [InlineData("12")]
    public void Topics_are_ordered_by_the_mainline_however_lines_fork(string version)
    {
        for (var seed = 0; seed < StateResolutionTests.Rooms; seed++)
        {
            var forest = new Forest(RoomVersions.Find(version)!, new Random(seed));
            forest.Grow(30);
            State[] states = [forest.StateOn(20), forest.StateOn(20), forest.StateOn(20)];
            var expected = new NaiveResolution(forest.Events, forest.Rules).Resolve(states);
            var actual = Protocol.StateResolution.Resolve(states, forest.Events.Values, forest.Rules);
            Assert.Equal(forest.Base.Count + 21, expected.Count);
            Assert.True(expected.OrderBy(entry => entry.Key.ToString()).SequenceEqual(actual.OrderBy(entry => entry.Key.ToString())), $"seed {seed}");
        }
    }

    [Fact]
    public async Task Events_on_recent_power_levels_do_not_load_the_rooms_whole_history()
    {
        var forest = new Forest(RoomVersions.V11, new Random(1));
        forest.Chain(5_000);
        var (left, right) = (forest.Topics(3, forest.Levels[^1]), forest.Topics(3, forest.Levels[^3]));
        var source = new Counting(forest.Events, forest.Base);
        var resolved = await Protocol.StateResolution.Resolve([left, right], source, forest.Rules, TestContext.Current.CancellationToken);
        Assert.All(left, entry => Assert.Equal(entry.Value, resolved[entry.Key]));
        Assert.InRange(source.Loaded, 1, 40);
        Assert.InRange(source.Loads, 1, 10);
    }

    /// <summary>Power levels by Alice, each on some earlier one or on none.</summary>
    sealed class Forest
    {
        readonly Random _random;
        readonly TestRoom _room;
        readonly EventId _join;
        readonly EventId _rules;

        public Forest(RoomVersionRules rules, Random random)
        {
            _random = random;
            _room = new TestRoom(rules);
            Events[_room.Create.EventId] = new(_room.Create, false);
            _join = Add(EventTypes.Member, TestRoom.Alice.ToString(), """{"membership":"join"}""", null, withJoin: false);
            _rules = Add(EventTypes.JoinRules, "", """{"join_rule":"public"}""", null);
            Levels.Add(Add(EventTypes.PowerLevels, "", Content(), null));
            Base = new State
            {
                [new(EventTypes.Create, "")] = _room.Create.EventId, [new(EventTypes.Member, TestRoom.Alice.ToString())] = _join,
                [new(EventTypes.JoinRules, "")] = _rules,
            };
        }

        public RoomVersionRules Rules => _room.Rules;

        public Dictionary<EventId, ResolutionEvent> Events { get; } = [];

        public List<EventId> Levels { get; } = [];

        public State Base { get; }

        public void Grow(int count)
        {
            for (var i = 0; i < count; i++)
                Levels.Add(Add(EventTypes.PowerLevels, "", Content(), _random.Next(10) == 0 ? null : Levels[Math.Max(0, Levels.Count - 1 - _random.Next(6))]));
        }

        public void Chain(int count)
        {
            for (var i = 0; i < count; i++)
                Levels.Add(Add(EventTypes.PowerLevels, "", Content(), Levels[^1]));
        }

        /// <summary>A state of this many topics on power levels of its own.</summary>
        public State StateOn(int topics)
        {
            var state = new State(Base) { [new(EventTypes.PowerLevels, "")] = Levels[_random.Next(Levels.Count)] };
            for (var i = 0; i < topics; i++)
                state[new(EventTypes.Topic, "" + i)] = Topic("" + i, Levels[_random.Next(Levels.Count)]);
            return state;
        }

        public State Topics(int count, EventId levels) =>
            Enumerable.Range(0, count).ToDictionary(i => new StateKeyPair(EventTypes.Topic, "" + i), i => Topic("" + i, levels));

        EventId Topic(string key, EventId levels) => Add(EventTypes.Topic, key, $$"""{"n":{{_random.Next()}}}""", levels);

        string Content() => Rules.HasPrivilegedCreators ? $$"""{"n":{{_random.Next()}}}""" : $$$"""{"n":{{{_random.Next()}}},"users":{"@alice:example.org":100}}""";

        EventId Add(string type, string stateKey, string content, EventId? levels, bool withJoin = true)
        {
            List<EventId> auth = Rules.RoomIdIsCreateHash ? [] : [_room.Create.EventId];
            if (withJoin)
                auth.Add(_join);
            if (levels is { } cited)
                auth.Add(cited);
            var references = string.Join(",", auth.Select(id => Rules.HasAssignedEventIds ? $"[\"{id}\",{{}}]" : $"\"{id}\""));
            var prev = Rules.HasAssignedEventIds ? $"[\"{_room.Create.EventId}\",{{}}]" : $"\"{_room.Create.EventId}\"";
            var json = $$"""{"auth_events":[{{references}}],"content":{{content}},"depth":5,"origin_server_ts":{{_random.Next(50)}},"prev_events":[{{prev}}],"room_id":"{{_room.RoomId}}","sender":"{{TestRoom.Alice}}","state_key":"{{stateKey}}","type":"{{type}}"}""";
            var pdu = Pdu.FromStored(EventId.Parse("$e" + Events.Count), Encoding.UTF8.GetBytes(json), Rules);
            Events[pdu.EventId] = new(pdu, false);
            return pdu.EventId;
        }
    }

    /// <summary>A store that counts what it is asked for, and knows without walking that the states have the same auth chains but for a few.</summary>
    sealed class Counting(Dictionary<EventId, ResolutionEvent> events, State unconflicted) : IStateResolutionSource
    {
        readonly MemoryResolutionSource _source = new(events.Values, unconflicted);

        public int Loads { get; private set; }

        public int Loaded { get; private set; }

        public ValueTask<IReadOnlyCollection<ResolutionEvent>> LoadEvents(IReadOnlyCollection<EventId> ids, CancellationToken ct)
        {
            (Loads, Loaded) = (Loads + 1, Loaded + ids.Count);
            return _source.LoadEvents(ids, ct);
        }

        public ValueTask<IReadOnlyDictionary<StateKeyPair, EventId>> FindUnconflicted(IReadOnlyCollection<StateKeyPair> keys, CancellationToken ct) =>
            _source.FindUnconflicted(keys, ct);

        public ValueTask<IReadOnlyCollection<EventId>> FindAuthDifference(IReadOnlyList<IReadOnlyCollection<EventId>> differing, CancellationToken ct) =>
            _source.FindAuthDifference(differing, ct);

        public ValueTask<IReadOnlyCollection<EventId>> FindSubgraph(IReadOnlyCollection<EventId> conflicted, CancellationToken ct) =>
            _source.FindSubgraph(conflicted, ct);
    }
}
