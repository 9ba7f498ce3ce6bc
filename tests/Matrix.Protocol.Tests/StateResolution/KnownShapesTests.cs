using System.Diagnostics;
using System.Text;
using State = System.Collections.Generic.Dictionary<Matrix.Protocol.StateKeyPair, Matrix.Protocol.EventId>;

namespace Matrix.Protocol.Tests;

/// <summary>Shapes of history that are known to have gone wrong somewhere.</summary>
public class KnownShapesTests
{
    static readonly UserId Alice = TestRoom.Alice;
    static readonly UserId Bob = TestRoom.Bob;
    static readonly UserId Carol = UserId.Parse("@carol:example.org");

    public static TheoryData<string> Versions => ["2", "11", "12"];

    [Theory, MemberData(nameof(Versions))]
    public void A_ban_beats_what_the_banned_user_did_meanwhile(string version)
    {
        var room = new Room(version);
        var before = room.Joined(Alice, Bob);
        var topic = room.Add(before, EventTypes.Topic, "", Bob, """{"topic":"mine"}""");
        var ban = room.Add(before, EventTypes.Member, Bob.ToString(), Alice, """{"membership":"ban"}""");
        var resolved = room.Resolve(topic, ban);
        Assert.Equal(ban[new(EventTypes.Member, Bob.ToString())], resolved[new(EventTypes.Member, Bob.ToString())]);
        Assert.False(resolved.ContainsKey(new(EventTypes.Topic, "")));
    }

    [Theory, MemberData(nameof(Versions))]
    public void Of_two_who_depose_each_other_the_stronger_wins(string version)
    {
        var room = new Room(version);
        var before = room.Add(room.Joined(Alice, Bob, Carol), EventTypes.PowerLevels, "", Alice, room.Levels((Bob, 50), (Carol, 75)));
        var byBob = room.Add(before, EventTypes.PowerLevels, "", Bob, room.Levels((Bob, 50), (Carol, 75), (Alice, 100)), timestamp: 1);
        var byCarol = room.Add(before, EventTypes.PowerLevels, "", Carol, room.Levels((Bob, 0), (Carol, 75)), timestamp: 2);
        Assert.Equal(byCarol[new(EventTypes.PowerLevels, "")], room.Resolve(byBob, byCarol)[new(EventTypes.PowerLevels, "")]);
    }

    [Theory, MemberData(nameof(Versions))]
    public void A_stale_branch_does_not_bring_back_old_state(string version)
    {
        var room = new Room(version);
        var start = room.Joined(Alice, Bob);
        var old = room.Add(start, EventTypes.Topic, "", Alice, """{"topic":"old"}""", timestamp: 10);
        var current = room.Add(old, EventTypes.Topic, "", Alice, """{"topic":"new"}""", timestamp: 20);
        for (var i = 0; i < 5; i++)
            current = room.Add(current, EventTypes.Name, "", Alice, $$"""{"name":"{{i}}"}""", timestamp: 30 + i);
        var stale = room.Add(old, EventTypes.Avatar, "", Alice, "{}", timestamp: 15);
        var resolved = room.Resolve(stale, current);
        Assert.Equal(current[new(EventTypes.Topic, "")], resolved[new(EventTypes.Topic, "")]);
        Assert.Equal(current[new(EventTypes.Name, "")], resolved[new(EventTypes.Name, "")]);
        Assert.Equal(stale[new(EventTypes.Avatar, "")], resolved[new(EventTypes.Avatar, "")]);
    }

    [Fact]
    public void A_member_who_never_left_stays_when_join_rules_were_tightened_meanwhile()
    {
        // The shape that 2.1 repairs: the membership is in conflict with an older one, the join rules are not.
        var room = new Room("12");
        var joined = room.Joined(Alice, Bob);
        var closed = room.Add(joined, EventTypes.JoinRules, "", Alice, """{"join_rule":"invite"}""", timestamp: 50);
        var renamed = room.Add(closed, EventTypes.Member, Bob.ToString(), Bob, """{"membership":"join","displayname":"B"}""", timestamp: 60);
        var resolved = room.Resolve(renamed, closed);
        Assert.Equal(renamed[new(EventTypes.Member, Bob.ToString())], resolved[new(EventTypes.Member, Bob.ToString())]);
    }

    [Theory]
    [InlineData("11")]
    [InlineData("12")]
    public void A_chain_of_a_hundred_thousand_events_resolves_without_recursion(string version)
    {
        var room = new Room(version);
        var state = room.Joined(Alice, Bob);
        for (var i = 0; i < 100_000; i++)
            state = room.AddFast(state, EventTypes.PowerLevels, "", Alice, room.Levels((Alice, 100)), i);
        var (left, right) = (room.Add(state, EventTypes.Topic, "", Alice, """{"topic":"a"}"""), room.Add(state, EventTypes.Topic, "", Alice, """{"topic":"b"}"""));
        var clock = Stopwatch.StartNew();
        Assert.Equal(state.Count + 1, room.Resolve(left, right).Count);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(30), $"took {clock.Elapsed}");
    }

    /// <summary>A room in which events stand on a given state, whatever the auth rules say.</summary>
    sealed class Room
    {
        readonly TestRoom _room;
        readonly Dictionary<EventId, ResolutionEvent> _events = [];

        public Room(string version)
        {
            _room = new TestRoom(RoomVersions.Find(version)!);
            _events[_room.Create.EventId] = new(_room.Create, false);
        }

        public string Levels(params (UserId User, int Level)[] users) =>
            $$$"""{"users":{{{{string.Join(",", users.Append((Alice, 100)).DistinctBy(entry => entry.Item1).Where(entry => entry.Item1 != Alice || !_room.Rules.HasPrivilegedCreators).Select(entry => $"\"{entry.Item1}\":{entry.Item2}"))}}}}}""";

        public State Joined(params UserId[] users)
        {
            var state = new State { [new(EventTypes.Create, "")] = _room.Create.EventId };
            state = Add(state, EventTypes.Member, Alice.ToString(), Alice, """{"membership":"join"}""");
            state = Add(state, EventTypes.PowerLevels, "", Alice, Levels((Alice, 100))[..^1] + ""","state_default":0}""");
            state = Add(state, EventTypes.JoinRules, "", Alice, """{"join_rule":"public"}""");
            foreach (var user in users.Where(user => user != Alice))
                state = Add(state, EventTypes.Member, user.ToString(), user, """{"membership":"join"}""");
            return state;
        }

        public State Add(State state, string type, string stateKey, UserId sender, string content, long timestamp = 5)
        {
            var auth = Auth(state, type, stateKey, sender, content);
            var pdu = new PduBuilder
            {
                Type = type, StateKey = stateKey, Sender = sender, RoomId = _room.RoomId, Content = Encoding.UTF8.GetBytes(content),
                OriginServerTs = timestamp, Depth = 5,
                // As if each followed the create event, so that the creator's first join is allowed.
                PrevEvents = [_room.Create.EventId], AuthEvents = auth,
            }.Build(_room.Rules, TestRoom.Server, TestRoom.Key);
            return Put(state, pdu);
        }

        /// <summary>Without hash and signature, and changing the given state.</summary>
        public State AddFast(State state, string type, string stateKey, UserId sender, string content, int number)
        {
            var auth = string.Join(",", Auth(state, type, stateKey, sender, content).Select(id => $"\"{id}\""));
            var json = $$"""{"auth_events":[{{auth}}],"content":{{content}},"depth":5,"origin_server_ts":{{number}},"prev_events":[],"room_id":"{{_room.RoomId}}","sender":"{{sender}}","state_key":"{{stateKey}}","type":"{{type}}"}""";
            var pdu = Pdu.FromStored(EventId.Parse("$fast" + number), Encoding.UTF8.GetBytes(json), _room.Rules);
            _events[pdu.EventId] = new(pdu, false);
            state[new(type, stateKey)] = pdu.EventId;
            return state;
        }

        public IReadOnlyDictionary<StateKeyPair, EventId> Resolve(params State[] states) =>
            Protocol.StateResolution.Resolve(states, _events.Values, _room.Rules);

        State Put(State state, Pdu pdu)
        {
            _events[pdu.EventId] = new(pdu, false);
            return new State(state) { [new(pdu.Type, pdu.StateKey!)] = pdu.EventId };
        }

        List<EventId> Auth(State state, string type, string stateKey, UserId sender, string content) =>
            [.. AuthEvents.KeysFor(type, stateKey, sender, System.Text.Json.JsonElement.Parse(content), _room.Rules)
                .Where(state.ContainsKey).Select(key => state[key])];
    }
}
