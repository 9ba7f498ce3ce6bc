using System.Text;
using State = System.Collections.Generic.Dictionary<Matrix.Protocol.StateKeyPair, Matrix.Protocol.EventId>;

namespace Matrix.Protocol.Tests;

/// <summary>
/// A room whose history forks and meets at random: joins, kicks, bans, fights over power and join rules, topics, and events that are rejected.
/// The same seed makes the same room.
/// </summary>
sealed class RandomRoom
{
    static readonly UserId[] Users = [.. new[] { "alice", "bob", "carol", "dave" }.Select(name => UserId.Parse($"@{name}:example.org"))];

    readonly Random _random;
    readonly Dictionary<EventId, State> _after = [];
    readonly List<EventId> _order = [];

    public RandomRoom(int seed, RoomVersionRules rules)
    {
        _random = new Random(seed);
        Rules = rules;
        var room = new TestRoom(rules, rules.HasPrivilegedCreators && seed % 3 == 0 ? """{"additional_creators":["@bob:example.org"]}""" : "{}");
        Add(room.Create, [], isRejected: false);
        Do(EventTypes.Member, Users[0].ToString(), Users[0], """{"membership":"join"}""", [room.Create.EventId]);
        var alice = rules.HasPrivilegedCreators ? "" : "\"@alice:example.org\":100,";
        Do(EventTypes.PowerLevels, "", Users[0], $$$"""{"users":{{{{alice}}}"@carol:example.org":50}}""", [_order[^1]]);
        Do(EventTypes.JoinRules, "", Users[0], """{"join_rule":"public"}""", [_order[^1]]);
    }

    public RoomVersionRules Rules { get; }

    public Dictionary<EventId, ResolutionEvent> Events { get; } = [];

    /// <summary>The states that came together somewhere, each as the states after the events it followed.</summary>
    public List<IReadOnlyList<State>> Meetings { get; } = [];

    public RandomRoom Grow(int steps)
    {
        for (var i = 0; i < steps; i++)
            Step();
        return this;
    }

    void Step()
    {
        var sender = Users[_random.Next(Users.Length)];
        var target = Users[_random.Next(Users.Length)];
        var prev = Enumerable.Range(0, _random.Next(1, 4)).Select(_ => _order[Math.Max(0, _order.Count - 1 - _random.Next(8))]).Distinct().ToList();
        switch (_random.Next(10))
        {
            case 0 or 1:
                Do(EventTypes.Member, sender.ToString(), sender, """{"membership":"join"}""", prev);
                break;
            case 2:
                Do(EventTypes.Member, sender.ToString(), sender, """{"membership":"leave"}""", prev);
                break;
            case 3 or 4:
                var membership = new[] { "leave", "ban", "invite" }[_random.Next(3)];
                Do(EventTypes.Member, target.ToString(), sender, $$"""{"membership":"{{membership}}"}""", prev);
                break;
            case 5 or 6:
                Do(EventTypes.PowerLevels, "", sender, PowerLevelContent(), prev);
                break;
            case 7:
                Do(EventTypes.JoinRules, "", sender, $$"""{"join_rule":"{{(_random.Next(2) == 0 ? "public" : "invite")}}"}""", prev);
                break;
            default:
                Do(_random.Next(2) == 0 ? EventTypes.Topic : EventTypes.Name, "", sender, $$"""{"n":{{_random.Next(1000)}}}""", prev);
                break;
        }
    }

    string PowerLevelContent()
    {
        var levels = Users.Skip(Rules.HasPrivilegedCreators ? 2 : 1).Select(user => $"\"{user}\":{_random.Next(4) * 25}");
        var alice = Rules.HasPrivilegedCreators ? "" : "\"@alice:example.org\":100,";
        return $$$"""{"users":{{{{alice}}}{{{string.Join(",", levels)}}}},"events_default":0,"state_default":{{{_random.Next(2) * 50}}}}""";
    }

    void Do(string type, string stateKey, UserId sender, string content, List<EventId> prev)
    {
        var before = Before(prev);
        var bytes = Encoding.UTF8.GetBytes(content);
        var create = Events.Values.First().Pdu;
        var auth = AuthEvents.KeysFor(type, stateKey, sender, System.Text.Json.JsonElement.Parse(content), Rules)
            .Where(before.ContainsKey).Select(key => before[key]).Distinct().ToList();
        var pdu = new PduBuilder
        {
            Type = type, StateKey = stateKey, Sender = sender, RoomId = create.RoomId, Content = bytes, PrevEvents = prev, AuthEvents = auth,
            Depth = prev.Max(id => Events[id].Pdu.Depth) + 1,
            OriginServerTs = 1000 + _order.Count / 2 - _random.Next(3),
        }.Build(Rules, TestRoom.Server, TestRoom.Key);
        var state = new AuthState(before.Values.Select(id => Events[id].Pdu));
        // An event that its own auth events do not allow is dropped; one that only the state forbids stays, rejected.
        if (!EventAuth.Check(pdu, new AuthState(auth.Select(id => Events[id].Pdu)), Rules, create).Allowed)
            return;
        Add(pdu, before, isRejected: !EventAuth.Check(pdu, state, Rules, create).Allowed || _random.Next(12) == 0);
    }

    void Add(Pdu pdu, State before, bool isRejected)
    {
        if (!Events.TryAdd(pdu.EventId, new(pdu, isRejected)))
            return;
        _order.Add(pdu.EventId);
        _after[pdu.EventId] = isRejected ? before : new State(before) { [new(pdu.Type, pdu.StateKey!)] = pdu.EventId };
    }

    State Before(List<EventId> prev)
    {
        if (prev.Count == 1)
            return _after[prev[0]];
        IReadOnlyList<State> states = [.. prev.Select(id => _after[id])];
        Meetings.Add(states);
        return new NaiveResolution(Events, Rules).Resolve(states);
    }
}
