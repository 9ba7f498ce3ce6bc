using State = System.Collections.Generic.Dictionary<Matrix.Protocol.StateKeyPair, Matrix.Protocol.EventId>;

namespace Matrix.Protocol.Tests;

/// <summary>
/// State resets by name: shapes of history from which rooms are known to have fallen back to old state. Where an older algorithm does reset,
/// as the specification has it, the test says so too.
/// </summary>
public class ResetShapesTests
{
    static readonly UserId Alice = TestRoom.Alice;
    static readonly UserId Bob = TestRoom.Bob;
    static readonly UserId Carol = UserId.Parse("@carol:example.org");
    static readonly StateKeyPair Levels = new(EventTypes.PowerLevels, "");
    static readonly StateKeyPair Rules = new(EventTypes.JoinRules, "");
    static readonly StateKeyPair Topic = new(EventTypes.Topic, "");
    static readonly StateKeyPair BobIs = new(EventTypes.Member, Bob.ToString());
    static readonly StateKeyPair CarolIs = new(EventTypes.Member, Carol.ToString());

    public static TheoryData<string> Versions => ["2", "6", "11", "12"];

    [Theory]
    [InlineData("11", false)]
    [InlineData("12", true)]
    public void A_member_stays_whom_todays_join_rules_would_not_let_in(string version, bool stays)
    {
        // The join is only known to one side, the join rules that came after it to both: 2.0 checks it by these, 2.1 by those it was made under.
        var room = new ShapeRoom(version);
        var joined = room.Joined(Alice, Bob, Carol);
        var closed = room.Add(joined, EventTypes.JoinRules, "", Alice, """{"join_rule":"invite"}""", timestamp: 50);
        var resolved = room.Resolve(closed, Without(closed, BobIs));
        Assert.Equal(stays ? joined[BobIs] : null, Find(resolved, BobIs));
    }

    [Theory]
    [InlineData("11", false)]
    [InlineData("12", true)]
    public void Power_levels_do_not_fall_back_when_one_server_still_has_the_first(string version, bool stay)
    {
        // Alice gave Bob power, Bob went on from there, and one server still has what was before. What Alice did is in everybody's auth chain, so
        // that 2.0 does not replay it, and Bob's event fails against the old levels; 2.1 replays the path between the two.
        var room = new ShapeRoom(version);
        var first = room.Joined(Alice, Bob);
        var promoted = room.Add(first, EventTypes.PowerLevels, "", Alice, room.Levels((Bob, 60)), timestamp: 20);
        var topic = room.Add(promoted, EventTypes.Topic, "", Bob, """{"topic":"mine"}""", timestamp: 25);
        var current = room.Add(topic, EventTypes.PowerLevels, "", Bob, room.Levels((Bob, 60), (Carol, 50)), timestamp: 30);
        var stale = new State(current) { [Levels] = first[Levels] };
        Assert.Equal((stay ? current : first)[Levels], room.Resolve(stale, current)[Levels]);
    }

    [Theory, MemberData(nameof(Versions))]
    public void A_ban_stands_against_a_join_made_meanwhile(string version)
    {
        var room = new ShapeRoom(version);
        var before = room.Joined(Alice, Carol);
        var banned = room.Add(before, EventTypes.Member, Bob.ToString(), Alice, """{"membership":"ban"}""", timestamp: 20);
        var joined = room.Add(before, EventTypes.Member, Bob.ToString(), Bob, """{"membership":"join"}""", timestamp: 10);
        Assert.Equal(banned[BobIs], room.Resolve(joined, banned)[BobIs]);
    }

    [Theory, MemberData(nameof(Versions))]
    public void An_old_ban_does_not_come_back_after_it_was_lifted(string version)
    {
        var room = new ShapeRoom(version);
        var banned = room.Add(room.Joined(Alice, Bob), EventTypes.Member, Bob.ToString(), Alice, """{"membership":"ban"}""", timestamp: 10);
        var lifted = room.Add(banned, EventTypes.Member, Bob.ToString(), Alice, """{"membership":"leave"}""", timestamp: 20);
        var back = room.Add(lifted, EventTypes.Member, Bob.ToString(), Bob, """{"membership":"join"}""", timestamp: 30);
        var stale = room.Add(banned, EventTypes.Topic, "", Alice, """{"topic":"stale"}""", timestamp: 15);
        var resolved = room.Resolve(stale, back);
        Assert.Equal(back[BobIs], resolved[BobIs]);
        Assert.Equal(stale[Topic], resolved[Topic]);
    }

    [Theory, MemberData(nameof(Versions))]
    public void What_a_demoted_user_did_meanwhile_does_not_count(string version)
    {
        var room = new ShapeRoom(version);
        var before = room.Add(room.Joined(Alice, Bob, Carol), EventTypes.PowerLevels, "", Alice, room.Levels((Bob, 50)), timestamp: 10);
        var demoted = room.Add(before, EventTypes.PowerLevels, "", Alice, room.Levels((Bob, 0)), timestamp: 30);
        var kicked = room.Add(before, EventTypes.Member, Carol.ToString(), Bob, """{"membership":"leave"}""", timestamp: 20);
        var resolved = room.Resolve(kicked, demoted);
        Assert.Equal(demoted[Levels], resolved[Levels]);
        Assert.Equal(before[CarolIs], resolved[CarolIs]);
    }

    [Theory, MemberData(nameof(Versions))]
    public void Closing_a_room_beats_a_join_made_meanwhile(string version)
    {
        var room = new ShapeRoom(version);
        var before = room.Joined(Alice, Bob);
        var closed = room.Add(before, EventTypes.JoinRules, "", Alice, """{"join_rule":"invite"}""", timestamp: 20);
        var joined = room.Add(before, EventTypes.Member, Carol.ToString(), Carol, """{"membership":"join"}""", timestamp: 10);
        var resolved = room.Resolve(joined, closed);
        Assert.Equal(closed[Rules], resolved[Rules]);
        Assert.Null(Find(resolved, CarolIs));
    }

    [Theory, MemberData(nameof(Versions))]
    public void An_event_that_names_a_rejected_event_gains_nothing_by_it(string version)
    {
        var room = new ShapeRoom(version);
        var before = room.Add(room.Joined(Alice, Bob, Carol), EventTypes.PowerLevels, "", Alice, room.Levels((Alice, 100)), timestamp: 10);
        var forged = room.Add(before, EventTypes.PowerLevels, "", Bob, room.Levels((Bob, 100)), timestamp: 20, isRejected: true);
        var kicked = room.Add(forged, EventTypes.Member, Carol.ToString(), Bob, """{"membership":"ban"}""", timestamp: 30);
        kicked[Levels] = before[Levels];
        var resolved = room.Resolve(before, kicked);
        Assert.Equal((before[Levels], before[CarolIs]), (resolved[Levels], resolved[CarolIs]));
    }

    [Theory, MemberData(nameof(Versions))]
    public void State_that_only_one_side_has_is_kept(string version)
    {
        var room = new ShapeRoom(version);
        var before = room.Joined(Alice, Bob);
        var left = room.Add(before, EventTypes.Topic, "", Alice, """{"topic":"left"}""");
        var right = room.Add(before, EventTypes.Name, "", Alice, """{"name":"right"}""");
        var resolved = room.Resolve(left, right, before);
        Assert.Equal(left[Topic], resolved[Topic]);
        Assert.Equal(right[new(EventTypes.Name, "")], resolved[new(EventTypes.Name, "")]);
        Assert.Equal(before.Count + 2, resolved.Count);
    }

    [Theory, MemberData(nameof(Versions))]
    public void Of_two_topics_the_one_on_the_newer_power_levels_wins_whatever_its_clock_says(string version)
    {
        var room = new ShapeRoom(version);
        var before = room.Joined(Alice, Bob);
        var old = room.Add(before, EventTypes.Topic, "", Alice, """{"topic":"old"}""", timestamp: 1_000_000);
        var levels = room.Add(before, EventTypes.PowerLevels, "", Alice, room.Levels((Bob, 50)), timestamp: 10);
        var current = room.Add(levels, EventTypes.Topic, "", Alice, """{"topic":"new"}""", timestamp: 1);
        Assert.Equal(current[Topic], room.Resolve(old, current)[Topic]);
    }

    [Fact]
    public void A_creator_cannot_be_outranked_in_version_12()
    {
        var room = new ShapeRoom("12");
        var before = room.Add(room.Joined(Alice, Bob), EventTypes.PowerLevels, "", Alice, room.Levels((Bob, 9_000_000)), timestamp: 10);
        var byBob = room.Add(before, EventTypes.PowerLevels, "", Bob, room.Levels((Bob, 9_000_000), (Carol, 9_000_000)), timestamp: 20);
        var byAlice = room.Add(before, EventTypes.PowerLevels, "", Alice, room.Levels((Bob, 0)), timestamp: 30);
        Assert.Equal(byAlice[Levels], room.Resolve(byBob, byAlice)[Levels]);
    }

    [Fact]
    public void Version_1_takes_the_deepest_topic_and_falls_back_with_it()
    {
        var room = new ShapeRoom("1");
        var before = room.Joined(Alice, Bob);
        var current = room.Add(before, EventTypes.Topic, "", Alice, """{"topic":"new"}""", timestamp: 20, depth: 8);
        var stale = room.Add(before, EventTypes.Topic, "", Alice, """{"topic":"old"}""", timestamp: 10, depth: 9);
        Assert.Equal(stale[Topic], room.Resolve(current, stale)[Topic]);
    }

    [Fact]
    public void Version_1_keeps_the_shallowest_power_levels_when_the_next_are_not_allowed()
    {
        var room = new ShapeRoom("1");
        var before = room.Joined(Alice, Bob);
        var first = room.Add(before, EventTypes.PowerLevels, "", Alice, room.Levels((Bob, 50)), depth: 6);
        var second = room.Add(first, EventTypes.PowerLevels, "", Bob, room.Levels((Alice, 100), (Bob, 100)), depth: 7);
        var third = room.Add(first, EventTypes.PowerLevels, "", Alice, room.Levels((Bob, 10)), depth: 8);
        Assert.Equal(first[Levels], room.Resolve(first, second, third)[Levels]);
        Assert.Equal(third[Levels], room.Resolve(first, third)[Levels]);
    }

    static EventId? Find(IReadOnlyDictionary<StateKeyPair, EventId> state, StateKeyPair key) => state.TryGetValue(key, out var id) ? id : null;

    static State Without(State state, StateKeyPair key) => new(state.Where(entry => entry.Key != key));
}
