using System.Text;
using BenchmarkDotNet.Attributes;
using Matrix.Protocol;

namespace Matrix.Benchmarks;

/// <summary>Two states of 10,000 entries of which 100 are in conflict.</summary>
[MemoryDiagnoser]
public class StateResolutionBenchmarks
{
    readonly List<ResolutionEvent> _events = [];
    readonly Dictionary<StateKeyPair, EventId> _left = [];
    readonly Dictionary<StateKeyPair, EventId> _right = [];

    [Params("11", "12")]
    public string Version { get; set; } = "12";

    RoomVersionRules Rules => RoomVersions.Find(Version)!;

    [GlobalSetup]
    public void Setup()
    {
        var create = new SampleRoom().Create.EventId;
        var room = Rules.RoomIdIsCreateHash ? RoomId.FromCreateEvent(create).ToString() : "!r:example.org";
        var createPdu = Add(create.ToString(), EventTypes.Create, "", "@alice:example.org", "{}", [], room);
        EventId[] baseAuth = Rules.RoomIdIsCreateHash ? [] : [createPdu];
        var alice = Add("$alice", EventTypes.Member, "@alice:example.org", "@alice:example.org", """{"membership":"join"}""", baseAuth, room);
        var levels = Add("$levels", EventTypes.PowerLevels, "", "@alice:example.org", "{}", [.. baseAuth, alice], room);
        var rules = Add("$rules", EventTypes.JoinRules, "", "@alice:example.org", """{"join_rule":"public"}""", [.. baseAuth, alice, levels], room);
        for (var i = 0; i < 9_900; i++)
            Add("$m" + i, EventTypes.Member, $"@u{i}:example.org", $"@u{i}:example.org", """{"membership":"join"}""", [.. baseAuth, levels, rules], room);
        foreach (var (key, id) in _left)
            _right[key] = id;
        for (var i = 0; i < 100; i++)
        {
            Put(_left, "$l" + i, i, [.. baseAuth, levels, alice], room);
            Put(_right, "$r" + i, i, [.. baseAuth, levels, alice], room);
        }
    }

    [Benchmark]
    public int Resolve() => StateResolution.Resolve([_left, _right], _events, Rules).Count;

    /// <summary>As a server does it that knows where the states differ.</summary>
    [Benchmark]
    public int Resolve_the_difference()
    {
        var (unconflicted, differing) = StateResolution.Split([_left, _right]);
        var source = new MemoryResolutionSource(_events, unconflicted);
        return StateResolution.Resolve(differing, source, Rules).AsTask().GetAwaiter().GetResult().Count;
    }

    void Put(Dictionary<StateKeyPair, EventId> state, string id, int number, EventId[] auth, string room)
    {
        var pdu = Make(id, "m.space.child", "!c" + number, "@alice:example.org", $$"""{"via":["{{id}}"]}""", auth, room);
        state[new(pdu.Type, pdu.StateKey!)] = pdu.EventId;
    }

    EventId Add(string id, string type, string stateKey, string sender, string content, EventId[] auth, string room)
    {
        var pdu = Make(id, type, stateKey, sender, content, auth, room);
        _left[new(type, stateKey)] = pdu.EventId;
        return pdu.EventId;
    }

    Pdu Make(string id, string type, string stateKey, string sender, string content, EventId[] auth, string room)
    {
        var references = string.Join(",", auth.Select(parent => $"\"{parent}\""));
        var roomId = type == EventTypes.Create && Rules.RoomIdIsCreateHash ? "" : $"\"room_id\":\"{room}\",";
        var prev = type == EventTypes.Create ? "" : "\"$prev\"";
        var json = $$"""{"auth_events":[{{references}}],"content":{{content}},"depth":5,"origin_server_ts":{{_events.Count}},"prev_events":[{{prev}}],{{roomId}}"sender":"{{sender}}","state_key":"{{stateKey}}","type":"{{type}}"}""";
        var pdu = Pdu.FromStored(EventId.Parse(id), Encoding.UTF8.GetBytes(json), Rules);
        _events.Add(new ResolutionEvent(pdu, false));
        return pdu;
    }
}
