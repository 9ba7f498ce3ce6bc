using System.Text;

namespace Matrix.Protocol.Tests;

public class FilterTests
{
    static readonly TestRoom Room = new(RoomVersions.V11);

    static FilterDefinition Parse(string json) => FilterDefinition.Parse(Encoding.UTF8.GetBytes(json));

    [Fact]
    public void A_whole_filter_is_read()
    {
        var filter = Parse("""
            {"event_fields":["type"],"event_format":"federation","presence":{"not_types":["*"]},"account_data":{"limit":3},
             "room":{"rooms":["!a:b"],"not_rooms":["!c:d"],"include_leave":true,"unknown":1,
                     "timeline":{"limit":7,"types":["m.room.*"],"not_senders":["@x:y"],"contains_url":true,"unread_thread_notifications":true},
                     "state":{"lazy_load_members":true,"include_redundant_members":true,"rooms":["!a:b"]}}}
            """);
        Assert.Equal(["type"], filter.EventFields);
        Assert.Equal((EventFormat.Federation, true, 3), (filter.EventFormat, filter.Presence.IsEmpty, filter.AccountData.Limit));
        Assert.True(filter.Room.Includes(RoomId.Parse("!a:b")) && !filter.Room.Includes(RoomId.Parse("!c:d")) && filter.Room.IncludeLeave);
        var (timeline, state) = (filter.Room.Timeline, filter.Room.State);
        Assert.Equal((7, true, true), (timeline.Limit, timeline.ContainsUrl, timeline.UnreadThreadNotifications));
        Assert.Equal([UserId.Parse("@x:y")], timeline.NotSenders);
        Assert.True(state.LazyLoadMembers && state.IncludeRedundantMembers && !state.Includes(RoomId.Parse("!z:b")));
        Assert.True(filter.Room.Ephemeral.AllowsAll);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("""{"presence":"not_object"}""")]
    [InlineData("""{"event_format":"x"}""")]
    [InlineData("""{"room":{"timeline":{"rooms":"not_a_list"}}}""")]
    [InlineData("""{"room":{"rooms":["not_a_room_id"]}}""")]
    [InlineData("""{"room":{"timeline":{"senders":["not_a_sender_id"]}}}""")]
    [InlineData("""{"room":{"timeline":{"limit":-1}}}""")]
    [InlineData("""{"room":{"timeline":{"limit":"5"}}}""")]
    [InlineData("""{"room":{"state":{"lazy_load_members":1}}}""")]
    [InlineData("""{"account_data":{"types":[1]}}""")]
    public void Members_of_the_wrong_form_are_refused(string json) => Assert.Throws<InvalidJsonException>(() => Parse(json));

    [Theory]
    [InlineData("m.room.*", "m.room.member", true)]
    [InlineData("m.room.*", "m.room.", true)]
    [InlineData("m.room.*", "m.roomx", false)]
    [InlineData("*", "", true)]
    [InlineData("*.member", "m.room.member", true)]
    [InlineData("m*room*r", "m.room.member", true)]
    [InlineData("m*m", "m", false)]
    [InlineData("a*b*b", "ab", false)]
    [InlineData("m.room.member", "m.room.member", true)]
    [InlineData("m?room", "m.room", false)]
    public void Types_may_have_stars(string pattern, string type, bool matches)
    {
        Assert.Equal(matches, new EventFilter { Types = [pattern] }.AllowsType(type));
        Assert.Equal(!matches, new EventFilter { NotTypes = [pattern] }.AllowsType(type));
    }

    [Fact]
    public void Excluding_wins_over_including()
    {
        var filter = new RoomEventFilter { Types = ["m.room.message"], NotSenders = [TestRoom.Bob], Senders = [TestRoom.Bob, TestRoom.Alice] };
        Assert.True(filter.Matches(Room.Event("m.room.message", "{}")));
        Assert.False(filter.Matches(Room.Event("m.room.message", "{}", TestRoom.Bob)));
        Assert.False(filter.Matches(Room.Event("m.room.topic", "{}")));
        Assert.False((filter with { NotTypes = ["m.*"] }).Matches(Room.Event("m.room.message", "{}")));
        Assert.False((filter with { NotRooms = [Room.RoomId] }).Matches(Room.Event("m.room.message", "{}")));
    }

    [Fact]
    public void An_url_can_be_asked_for_or_against()
    {
        var (with, without) = (Room.Event("m.room.message", """{"url":"mxc://a/b"}"""), Room.Event("m.room.message", "{}"));
        Assert.True(new RoomEventFilter { ContainsUrl = true }.Matches(with) && new RoomEventFilter { ContainsUrl = false }.Matches(without));
        Assert.False(new RoomEventFilter { ContainsUrl = true }.Matches(without) || new RoomEventFilter { ContainsUrl = false }.Matches(with));
    }

    [Fact]
    public void An_empty_list_lets_nothing_through() =>
        Assert.True(new EventFilter { Types = [] }.IsEmpty && !new EventFilter { Types = [] }.AllowsType("m.x") && !EventFilter.Default.IsEmpty);
}
