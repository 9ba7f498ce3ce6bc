using State = System.Collections.Generic.Dictionary<Matrix.Protocol.StateKeyPair, Matrix.Protocol.EventId>;

namespace Matrix.Protocol.Tests;

public class StateResolutionTests
{
    /// <summary>How many rooms of each version are tried; raise it for a long run.</summary>
    public static readonly int Rooms = int.TryParse(Environment.GetEnvironmentVariable("MATRIX_TEST_ROOMS"), out var rooms) ? rooms : 40;

    /// <summary>Rooms in which an event outside of the full conflicted set joins two inside (2), or the conflicted state subgraph decides (2.1).</summary>
    static readonly int[] Telling = [128, 153];

    public static TheoryData<string> Versions => ["1", "2", "6", "11", "12"];

    static string Show(IReadOnlyDictionary<StateKeyPair, EventId> state) =>
        string.Join("\n", state.Select(entry => $"{entry.Key.Type}|{entry.Key.StateKey}|{entry.Value}").Order(StringComparer.Ordinal));

    [Theory, MemberData(nameof(Versions))]
    public void Random_rooms_resolve_as_the_specifications_text_says(string version)
    {
        var rules = RoomVersions.Find(version)!;
        var meetings = 0;
        foreach (var seed in Enumerable.Range(0, Rooms).Union(Telling))
        {
            var room = new RandomRoom(seed, rules).Grow(40);
            foreach (var states in room.Meetings)
            {
                var expected = new NaiveResolution(room.Events, rules).Resolve(states);
                var actual = Protocol.StateResolution.Resolve([.. states], room.Events.Values, rules);
                Assert.True(Show(expected) == Show(actual), $"seed {seed}\nexpected\n{Show(expected)}\nactual\n{Show(actual)}");
                meetings++;
            }
        }
        Assert.True(meetings > Rooms * 5, $"only {meetings} states met");
    }

    [Theory, MemberData(nameof(Versions))]
    public void The_order_of_states_and_of_arrival_does_not_matter(string version)
    {
        var rules = RoomVersions.Find(version)!;
        for (var seed = 1000; seed < 1000 + Rooms / 4; seed++)
        {
            var room = new RandomRoom(seed, rules).Grow(40);
            var random = new Random(seed);
            foreach (var states in room.Meetings)
            {
                var expected = Show(Protocol.StateResolution.Resolve([.. states], room.Events.Values, rules));
                var events = room.Events.Values.ToArray();
                random.Shuffle(events);
                var shuffled = states.Select(state => Shuffle(state, random)).ToArray();
                random.Shuffle(shuffled);
                Assert.Equal(expected, Show(Protocol.StateResolution.Resolve([.. shuffled, shuffled[0]], events, rules)));
            }
        }
    }

    [Fact]
    public void States_that_agree_stay_as_they_are()
    {
        var room = new RandomRoom(1, RoomVersions.V11).Grow(20);
        var state = room.Meetings[^1][0];
        Assert.Equal(Show(state), Show(Protocol.StateResolution.Resolve([state, new State(state)], room.Events.Values, room.Rules)));
        Assert.Empty(Protocol.StateResolution.Resolve([], [], RoomVersions.V11));
    }

    static State Shuffle(State state, Random random)
    {
        var entries = state.ToArray();
        random.Shuffle(entries);
        return new State(entries);
    }
}
