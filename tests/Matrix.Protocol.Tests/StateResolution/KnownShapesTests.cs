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
        var room = new ShapeRoom(version);
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
        var room = new ShapeRoom(version);
        var before = room.Add(room.Joined(Alice, Bob, Carol), EventTypes.PowerLevels, "", Alice, room.Levels((Bob, 50), (Carol, 75)));
        var byBob = room.Add(before, EventTypes.PowerLevels, "", Bob, room.Levels((Bob, 50), (Carol, 75), (Alice, 100)), timestamp: 1);
        var byCarol = room.Add(before, EventTypes.PowerLevels, "", Carol, room.Levels((Bob, 0), (Carol, 75)), timestamp: 2);
        Assert.Equal(byCarol[new(EventTypes.PowerLevels, "")], room.Resolve(byBob, byCarol)[new(EventTypes.PowerLevels, "")]);
    }

    [Theory, MemberData(nameof(Versions))]
    public void A_stale_branch_does_not_bring_back_old_state(string version)
    {
        var room = new ShapeRoom(version);
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

    [Theory, MemberData(nameof(Versions))]
    public void An_event_that_all_states_have_is_not_sorted_with_those_in_which_they_differ(string version)
    {
        // Found beside a Synapse: of the branch by Bob, and of it alone, is his join in the auth chain, and he had no power when he joined.
        var (room, dave) = (new ShapeRoom(version), UserId.Parse("@dave:example.org"));
        var before = room.Add(room.Joined(Alice, Bob, Carol, dave), EventTypes.PowerLevels, "", Alice, room.Levels((Bob, 99), (Carol, 99)));
        before = room.Add(before, EventTypes.Member, dave.ToString(), Carol, """{"membership":"ban"}""", timestamp: 10);
        var byBob = room.Add(before, EventTypes.Member, dave.ToString(), Bob, """{"membership":"ban"}""", timestamp: 20);
        byBob = room.Add(byBob, EventTypes.Member, dave.ToString(), Bob, """{"membership":"leave"}""", timestamp: 30);
        var byCarol = room.Add(before, EventTypes.Member, dave.ToString(), Carol, """{"membership":"leave"}""", timestamp: 40);
        var last = new StateKeyPair(EventTypes.Member, dave.ToString());
        Assert.Equal(byCarol[last], room.Resolve(byBob, byCarol)[last]);
    }

    [Fact]
    public void A_member_who_never_left_stays_when_join_rules_were_tightened_meanwhile()
    {
        // The shape that 2.1 repairs: the membership is in conflict with an older one, the join rules are not.
        var room = new ShapeRoom("12");
        var joined = room.Joined(Alice, Bob);
        var closed = room.Add(joined, EventTypes.JoinRules, "", Alice, """{"join_rule":"invite"}""", timestamp: 50);
        var renamed = room.Add(closed, EventTypes.Member, Bob.ToString(), Bob, """{"membership":"join","displayname":"B"}""", timestamp: 60);
        var resolved = room.Resolve(renamed, closed);
        Assert.Equal(renamed[new(EventTypes.Member, Bob.ToString())], resolved[new(EventTypes.Member, Bob.ToString())]);
    }

    [Theory]
    [InlineData("1")]
    [InlineData("2")]
    public void Events_that_cite_each_other_do_not_hold_it_up(string version)
    {
        // Only servers that choose event ids can make such events, and none would get past the checks on receipt.
        static Pdu Event(string id, string type, string stateKey, string auth, RoomVersionRules rules) => Pdu.FromStored(EventId.Parse(id),
            Encoding.UTF8.GetBytes($$"""{"auth_events":[["{{auth}}",{}]],"content":{},"depth":5,"origin_server_ts":1,"prev_events":[],"room_id":"!r:x","sender":"@a:x","state_key":"{{stateKey}}","type":"{{type}}"}"""), rules);
        var rules = RoomVersions.Find(version)!;
        Pdu[] events = [.. new[] { "12", "23", "31" }.Select(pair => Event($"$p{pair[0]}:x", EventTypes.PowerLevels, "", $"$p{pair[1]}:x", rules)),
            Event("$t1:x", EventTypes.Topic, "", "$p1:x", rules), Event("$t2:x", EventTypes.Topic, "", "$p3:x", rules)];
        State On(int levels, int topic) => new() { [new(EventTypes.PowerLevels, "")] = events[levels].EventId, [new(EventTypes.Topic, "")] = events[topic].EventId };
        Protocol.StateResolution.Resolve([On(0, 3), On(1, 4)], events.Select(pdu => new ResolutionEvent(pdu, false)), rules);
    }

    [Theory]
    [InlineData("11")]
    [InlineData("12")]
    public void A_chain_of_a_hundred_thousand_events_resolves_without_recursion(string version)
    {
        var room = new ShapeRoom(version);
        var state = room.Joined(Alice, Bob);
        var start = new State(state);
        for (var i = 0; i < 100_000; i++)
            state = room.AddFast(state, EventTypes.PowerLevels, "", Alice, room.Levels((Alice, 100)), i);
        var (left, right) = (room.Add(state, EventTypes.Topic, "", Alice, """{"topic":"a"}"""), room.Add(state, EventTypes.Topic, "", Alice, """{"topic":"b"}"""));
        var oldest = room.Add(start, EventTypes.Topic, "", Alice, """{"topic":"c"}""");
        var clock = Stopwatch.StartNew();
        Assert.Equal(state.Count + 1, room.Resolve(left, right).Count);
        // The power levels are in conflict with their first ancestor: the whole chain is the conflicted state subgraph, and the line to the mainline.
        Assert.Equal(left[new(EventTypes.Topic, "")], room.Resolve(left, oldest)[new(EventTypes.Topic, "")]);
        Assert.True(clock.Elapsed < TimeSpan.FromMinutes(3), $"took {clock.Elapsed}");
    }
}
