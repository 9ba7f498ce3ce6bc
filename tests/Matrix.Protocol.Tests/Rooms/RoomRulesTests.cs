namespace Matrix.Protocol.Tests;

public class RoomRulesTests
{
    static readonly TestRoom Room = new(RoomVersions.V11);

    [Theory]
    [InlineData("""{"allow":["*"]}""", "a.org", true)]
    [InlineData("""{"allow":["*"],"deny":["*.evil.org"]}""", "x.EVIL.org:80", false)]
    [InlineData("""{"allow":["*"],"deny":["evil?.org"]}""", "evil1.org", false)]
    [InlineData("""{"allow":["*"],"deny":["evil?.org"]}""", "evil.org", true)]
    [InlineData("""{"allow":["*.good.org"]}""", "good.org", false)]
    [InlineData("""{"allow":["*"],"allow_ip_literals":false}""", "1.2.3.4:80", false)]
    [InlineData("""{"allow":["*"],"allow_ip_literals":false}""", "[::1]", false)]
    [InlineData("""{"allow":["*"],"allow_ip_literals":"no"}""", "1.2.3.4", true)]
    [InlineData("{}", "a.org", false)]
    [InlineData("""{"allow":"*"}""", "a.org", false)]
    public void Server_acls_decide_by_host(string content, string server, bool allowed) =>
        Assert.Equal(allowed, ServerAcl.Read(Room.Event(EventTypes.ServerAcl, content, stateKey: "")).Allows(ServerName.Parse(server)));

    [Fact]
    public void A_room_without_an_acl_admits_every_server() => Assert.True(ServerAcl.Read(null).Allows(ServerName.Parse("1.2.3.4")));

    [Theory]
    [InlineData("world_readable", null, false, true)]
    [InlineData("shared", null, false, false)]
    [InlineData("shared", null, true, true)]
    [InlineData("shared", "invite", false, false)]
    [InlineData("unknown", "leave", true, true)]
    [InlineData("invited", "invite", false, true)]
    [InlineData("invited", "leave", true, false)]
    [InlineData("joined", "invite", true, false)]
    [InlineData("joined", "join", false, true)]
    public void History_is_seen_by_the_state_at_the_event(string visibility, string? membership, bool joinedSince, bool visible)
    {
        var member = membership is null ? null : Member(membership);
        Assert.Equal(visible, HistoryVisibility.CanSee(Room.Event("m.room.message", "{}"), TestRoom.Bob, Visibility(visibility), member, joinedSince));
    }

    [Theory]
    [InlineData("world_readable", "joined", true)]
    [InlineData("joined", "world_readable", true)]
    [InlineData("joined", "shared", false)]
    public void A_change_of_visibility_is_seen_by_the_wider_side(string before, string after, bool visible) =>
        Assert.Equal(visible, HistoryVisibility.CanSee(Visibility(after), TestRoom.Bob, Visibility(before), null, false));

    [Fact]
    public void Own_memberships_are_seen_by_the_wider_side()
    {
        Assert.True(HistoryVisibility.CanSee(Member("join"), TestRoom.Bob, Visibility("joined"), null, false));
        Assert.True(HistoryVisibility.CanSee(Member("leave"), TestRoom.Bob, Visibility("joined"), Member("join"), false));
        Assert.False(HistoryVisibility.CanSee(Member("join"), TestRoom.Alice, Visibility("joined"), null, false));
    }

    [Fact]
    public void Heroes_are_the_first_five_others()
    {
        static KeyValuePair<UserId, string> Entry(string name, string membership) => new(UserId.Parse($"@{name}:x"), membership);
        var present = Enumerable.Range(1, 7).Select(i => Entry("u" + i, i == 1 ? "leave" : "join"));
        Assert.Equal("@u2:x @u4:x @u5:x @u6:x @u7:x", string.Join(" ", RoomPreview.Heroes(present, UserId.Parse("@u3:x"))));
        Assert.Equal("@a:x @b:x", string.Join(" ", RoomPreview.Heroes([Entry("a", "leave"), Entry("me", "join"), Entry("b", "ban"), Entry("c", "knock")], UserId.Parse("@me:x"))));
    }

    [Fact]
    public void Via_names_the_strongest_and_the_most_populous_servers()
    {
        UserId[] users = [.. new[] { "@a:one", "@b:two", "@c:two", "@d:three", "@e:three", "@f:three", "@g:1.2.3.4", "@h:four" }.Select(id => UserId.Parse(id))];
        var levels = PowerLevels.Read(Room.Event(EventTypes.PowerLevels, """{"users":{"@a:one":50,"@h:four":49,"@g:1.2.3.4":100}}""", stateKey: ""), Room.Create);
        Assert.Equal("one three two", string.Join(" ", RoomPreview.Via(users, levels, ServerAcl.Read(null))));
        var acl = ServerAcl.Read(Room.Event(EventTypes.ServerAcl, """{"allow":["*"],"deny":["three","one"]}""", stateKey: ""));
        Assert.Equal("two four", string.Join(" ", RoomPreview.Via(users, levels, acl)));
    }

    [Theory]
    [InlineData("12", "restricted", true, false, "!a:x !b")]
    [InlineData("7", "restricted", false, false, "")]
    [InlineData("10", "knock_restricted", true, true, "!a:x !b")]
    [InlineData("9", "knock_restricted", false, false, "")]
    [InlineData("7", "knock", false, true, "")]
    [InlineData("6", "knock", false, false, "")]
    [InlineData("12", "public", false, false, "")]
    public void Join_rules_mean_what_their_version_knows(string version, string rule, bool isRestricted, bool takesKnocks, string rooms)
    {
        var allow = """[{"type":"m.room_membership","room_id":"!a:x"},{"type":"other","room_id":"!c:x"},{"type":"m.room_membership","room_id":"?"},1,{"room_id":"!b","type":"m.room_membership"}]""";
        var read = JoinRules.Read(new TestRoom(RoomVersions.Find(version)!).Event(EventTypes.JoinRules, $$"""{"join_rule":"{{rule}}","allow":{{allow}}}""", stateKey: ""));
        Assert.Equal((rule, isRestricted, takesKnocks, rooms), (read.Rule, read.IsRestricted, read.TakesKnocks, string.Join(" ", read.AllowedRooms)));
    }

    [Fact]
    public void A_room_without_join_rules_is_for_the_invited()
    {
        Assert.Equal("invite", JoinRules.Read(null).Rule);
        Assert.Equal("invite", JoinRules.Read(Room.Event(EventTypes.JoinRules, """{"join_rule":1}""", stateKey: "")).Rule);
        Assert.Empty(JoinRules.Read(Room.Event(EventTypes.JoinRules, """{"join_rule":"restricted","allow":{}}""", stateKey: "")).AllowedRooms);
    }

    [Theory]
    [InlineData("12", true, "@alice:example.org @carol:example.org @bob:example.org")]
    [InlineData("12", false, "@alice:example.org @carol:example.org")]
    [InlineData("11", true, "@bob:example.org")]
    [InlineData("11", false, "@alice:example.org")]
    public void Who_has_a_power_of_their_own_is_told(string version, bool withLevels, string named)
    {
        var room = new TestRoom(RoomVersions.Find(version)!, """{"additional_creators":["@carol:example.org"]}""");
        var levels = withLevels ? room.Event(EventTypes.PowerLevels, """{"users":{"@bob:example.org":50,"nobody":1}}""", stateKey: "") : null;
        Assert.Equal(named, string.Join(" ", PowerLevels.Read(levels, room.Create).Named));
    }

    [Fact]
    public void Relations_are_read()
    {
        EventRelation? Read(string relates) => EventRelation.Read(Room.Event("m.room.message", $$"""{"m.relates_to":{{relates}}}"""));
        Assert.Equal(new EventRelation("m.annotation", EventId.Parse("$a"), "👍", null, false), Read("""{"rel_type":"m.annotation","event_id":"$a","key":"👍"}"""));
        var thread = Read("""{"rel_type":"m.thread","event_id":"$a","is_falling_back":true,"m.in_reply_to":{"event_id":"$b"}}""");
        Assert.Equal((EventId.Parse("$a"), EventId.Parse("$b"), true), (thread!.ThreadRoot, thread.InReplyTo, thread.IsFallingBack));
        Assert.Equal((null, EventId.Parse("$b")), (Read("""{"m.in_reply_to":{"event_id":"$b"}}""")!.RelType, Read("""{"m.in_reply_to":{"event_id":"$b"}}""")!.InReplyTo));
        Assert.Null(Read("""{"rel_type":"m.thread"}"""));
        Assert.Null(Read("\"x\""));
    }

    [Fact]
    public void A_replacement_must_fit_its_original()
    {
        var original = Room.Event("m.room.message", """{"body":"a"}""");
        Pdu Edit(Pdu of, string type = "m.room.message", UserId? sender = null, string newContent = ",\"m.new_content\":{}") => Room.Event(type,
            $$$"""{"m.relates_to":{"rel_type":"m.replace","event_id":"{{{of.EventId}}}"}{{{newContent}}}}""", sender);
        Assert.True(EventRelation.IsValidReplacement(Edit(original), original));
        Assert.False(EventRelation.IsValidReplacement(Edit(original, sender: TestRoom.Bob), original));
        Assert.False(EventRelation.IsValidReplacement(Edit(original, type: "m.sticker"), original));
        Assert.False(EventRelation.IsValidReplacement(Edit(original, newContent: ""), original));
        Assert.False(EventRelation.IsValidReplacement(Edit(Edit(original)), Edit(original)));
        Assert.False(EventRelation.IsValidReplacement(Edit(original), Room.Event("m.room.message", "{}")));
        var state = Room.Event("m.room.message", """{"body":"a"}""", stateKey: "");
        Assert.False(EventRelation.IsValidReplacement(Edit(state), state));
        var asState = Room.Event("m.room.message", Edit(original).Content.GetRawText(), stateKey: "");
        Assert.Equal(original.EventId, EventRelation.Read(asState)?.EventId);
        Assert.False(EventRelation.IsValidReplacement(asState, original) || EventRelation.IsReplacement(asState));
        Assert.True(EventRelation.IsReplacement(Edit(state)));
    }

    [Theory]
    [InlineData("5", long.MaxValue)]
    [InlineData("6", (1L << 53) - 1)]
    public void A_room_that_has_reached_the_greatest_depth_stays_there(string version, long depth)
    {
        var rules = RoomVersions.Find(version)!;
        var built = new PduBuilder { Type = "x", Sender = TestRoom.Alice, RoomId = Room.RoomId, Content = "{}"u8.ToArray(), Depth = long.MaxValue }
            .Build(rules, TestRoom.Server, TestRoom.Key);
        Assert.Equal(depth, built.Depth);
        Assert.Equal(depth, Pdu.Parse(built.Json, rules).Depth);
    }

    static Pdu Visibility(string value) =>
        Room.Event(EventTypes.HistoryVisibility, $$"""{"history_visibility":"{{value}}"}""", stateKey: "");

    static Pdu Member(string membership) =>
        Room.Event(EventTypes.Member, $$"""{"membership":"{{membership}}"}""", TestRoom.Bob, TestRoom.Bob.ToString());
}
