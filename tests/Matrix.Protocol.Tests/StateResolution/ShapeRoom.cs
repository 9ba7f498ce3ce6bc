using System.Text;
using State = System.Collections.Generic.Dictionary<Matrix.Protocol.StateKeyPair, Matrix.Protocol.EventId>;

namespace Matrix.Protocol.Tests;

/// <summary>A room in which events stand on a given state, whatever the auth rules say.</summary>
sealed class ShapeRoom
{
    readonly TestRoom _room;
    readonly Dictionary<EventId, ResolutionEvent> _events = [];

    public ShapeRoom(string version)
    {
        _room = new TestRoom(RoomVersions.Find(version)!);
        _events[_room.Create.EventId] = new(_room.Create, false);
    }

    public string Levels(params (UserId User, int Level)[] users) =>
        $$$"""{"users":{{{{string.Join(",", users.Append((TestRoom.Alice, 100)).DistinctBy(entry => entry.Item1).Where(entry => entry.Item1 != TestRoom.Alice || !_room.Rules.HasPrivilegedCreators).Select(entry => $"\"{entry.Item1}\":{entry.Item2}"))}}}}}""";

    public State Joined(params UserId[] users)
    {
        var state = new State { [new(EventTypes.Create, "")] = _room.Create.EventId };
        state = Add(state, EventTypes.Member, TestRoom.Alice.ToString(), TestRoom.Alice, """{"membership":"join"}""");
        state = Add(state, EventTypes.PowerLevels, "", TestRoom.Alice, Levels((TestRoom.Alice, 100))[..^1] + ""","state_default":0}""");
        state = Add(state, EventTypes.JoinRules, "", TestRoom.Alice, """{"join_rule":"public"}""");
        foreach (var user in users.Where(user => user != TestRoom.Alice))
            state = Add(state, EventTypes.Member, user.ToString(), user, """{"membership":"join"}""");
        return state;
    }

    public State Add(State state, string type, string stateKey, UserId sender, string content, long timestamp = 5, long depth = 5, bool isRejected = false)
    {
        var auth = Auth(state, type, stateKey, sender, content);
        var pdu = new PduBuilder
        {
            Type = type, StateKey = stateKey, Sender = sender, RoomId = _room.RoomId, Content = Encoding.UTF8.GetBytes(content),
            OriginServerTs = timestamp, Depth = depth,
            // As if each followed the create event, so that the creator's first join is allowed.
            PrevEvents = [_room.Create.EventId], AuthEvents = auth,
        }.Build(_room.Rules, TestRoom.Server, TestRoom.Key);
        return Put(state, pdu, isRejected);
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

    State Put(State state, Pdu pdu, bool isRejected)
    {
        _events[pdu.EventId] = new(pdu, isRejected);
        return new State(state) { [new(pdu.Type, pdu.StateKey!)] = pdu.EventId };
    }

    List<EventId> Auth(State state, string type, string stateKey, UserId sender, string content) =>
        [.. AuthEvents.KeysFor(type, stateKey, sender, System.Text.Json.JsonElement.Parse(content), _room.Rules)
            .Where(state.ContainsKey).Select(key => state[key])];
}
