using System.Text.Json;

namespace Matrix.Protocol.Tests;

public class AuthEventsTests
{
    static readonly TestRoom Room = new(RoomVersions.V11);

    static string Keys(string version, string type, string? stateKey, string content) => string.Join(" ",
        AuthEvents.KeysFor(type, stateKey, TestRoom.Alice, JsonElement.Parse(content), RoomVersions.Find(version)!)
            .Select(key => key.Type["m.room.".Length..] + "|" + key.StateKey));

    [Theory]
    [InlineData("11", "m.room.create", "", "{}", "")]
    [InlineData("11", "m.room.message", null, """{"membership":"join"}""", "create| power_levels| member|@alice:example.org")]
    [InlineData("12", "m.room.message", null, "{}", "power_levels| member|@alice:example.org")]
    [InlineData("11", "m.room.member", "@alice:example.org", """{"membership":"join"}""", "create| power_levels| member|@alice:example.org join_rules|")]
    [InlineData("11", "m.room.member", "@b:c", """{"membership":"ban"}""", "create| power_levels| member|@alice:example.org member|@b:c")]
    [InlineData("11", "m.room.member", "@b:c", """{"membership":"invite","third_party_invite":{"signed":{"token":"t"}}}""",
        "create| power_levels| member|@alice:example.org member|@b:c join_rules| third_party_invite|t")]
    [InlineData("11", "m.room.member", "@alice:example.org", """{"membership":"join","join_authorised_via_users_server":"@b:c"}""",
        "create| power_levels| member|@alice:example.org join_rules| member|@b:c")]
    [InlineData("7", "m.room.member", "@alice:example.org", """{"membership":"join","join_authorised_via_users_server":"@b:c"}""",
        "create| power_levels| member|@alice:example.org join_rules|")]
    public void Selection_follows_type_and_membership(string version, string type, string? stateKey, string content, string expected)
    {
        Assert.Equal(expected, Keys(version, type, stateKey, content));
        if (type == EventTypes.Create)
            return;
        var pdu = new TestRoom(RoomVersions.Find(version)!).Event(type, content, stateKey: stateKey);
        Assert.Equal(expected, string.Join(" ", AuthEvents.KeysFor(pdu).Select(key => key.Type["m.room.".Length..] + "|" + key.StateKey)));
    }

    [Fact]
    public void The_selected_events_pass()
    {
        var join = Join("@alice:example.org");
        Assert.True(Check([Room.Create, join]).Allowed);
        Assert.Equal("auth_events.no_create", Check([join]).Rule);
        Assert.True(EventAuth.CheckAuthEvents(new TestRoom(RoomVersions.V12).Event("m.room.message", "{}"), [], _ => false).Allowed);
    }

    [Fact]
    public void Other_repeated_rejected_or_foreign_events_do_not_pass()
    {
        var join = Join("@alice:example.org");
        Assert.Equal("auth_events.unexpected", Check([Room.Create, Join("@bob:example.org")]).Rule);
        Assert.Equal("auth_events.unexpected", Check([Room.Create, Room.Event("m.room.message", "{}")]).Rule);
        Assert.Equal("auth_events.duplicate", Check([Room.Create, join, join]).Rule);
        Assert.Equal("auth_events.rejected", Check([Room.Create, join], rejected: join.EventId).Rule);
        var foreign = new PduBuilder
        {
            Type = EventTypes.Member, StateKey = "@alice:example.org", Sender = TestRoom.Alice, RoomId = RoomId.Parse("!s:example.org"),
            Content = "{}"u8.ToArray(),
        }.Build(Room.Rules, TestRoom.Server, TestRoom.Key);
        Assert.Equal("auth_events.other_room", Check([Room.Create, foreign]).Rule);
    }

    static Pdu Join(string user) => Room.Event(EventTypes.Member, """{"membership":"join"}""", UserId.Parse(user), user);

    static AuthResult Check(Pdu[] authEvents, EventId? rejected = null) =>
        EventAuth.CheckAuthEvents(Room.Event("m.room.message", "{}"), authEvents, id => id == rejected);
}
